public import Records

/// What a sanitiser found in one event: classes and how often, never values.
public struct Findings: Sendable, Equatable {
    /// The classes that were found.
    public private(set) var classes: PersonalClasses = []
    /// Parts of URLs that were left out without being looked at.
    public var parametersRemoved = 0
    /// Whether a URL was cut to its limit.
    public var isShortened = false
    private var counts: InlineArray<19, UInt16> = .init(repeating: 0)

    /// Nothing found yet.
    public init() {}

    /// Whether nothing was found.
    public var isEmpty: Bool { classes.isEmpty }

    /// Whether something tells about somebody's health: such an event goes to no ad platform.
    public var isSensitive: Bool { classes.has(.health) }

    /// How often a class was found.
    public func count(_ one: PersonalClass) -> Int { Int(counts[Int(one.rawValue)]) }

    /// All finds.
    public var total: Int {
        var sum = 0
        for one in PersonalClass.allCases { sum += count(one) }
        return sum
    }

    /// Counts one find.
    public mutating func add(_ one: PersonalClass) {
        classes.insert(PersonalClasses(one))
        let index = Int(one.rawValue)
        counts[index] = counts[index] == .max ? .max : counts[index] + 1
    }

    /// Adds what another part of the event held.
    public mutating func add(_ other: Findings) {
        classes.formUnion(other.classes)
        parametersRemoved += other.parametersRemoved
        isShortened = isShortened || other.isShortened
        for index in 0..<19 {
            counts[index] = UInt16(clamping: Int(counts[index]) + Int(other.counts[index]))
        }
    }

    /// The same classes, counts and removals.
    public static func == (left: Findings, right: Findings) -> Bool {
        left.classes == right.classes && left.parametersRemoved == right.parametersRemoved
            && left.isShortened == right.isShortened
            && PersonalClass.allCases.allSatisfy { left.count($0) == right.count($0) }
    }
}

/// What consent allows a sanitiser to keep.
public struct SanitisePolicy: Sendable, Equatable {
    /// Positions stay, with one decimal place: about eleven kilometres. Otherwise they are masked.
    public var keepsCoarsePosition: Bool
    /// Click identifiers of ad networks stay in URLs.
    public var keepsClickIDs: Bool

    /// A policy; nothing is kept unless said.
    public init(keepsCoarsePosition: Bool = false, keepsClickIDs: Bool = false) {
        self.keepsCoarsePosition = keepsCoarsePosition
        self.keepsClickIDs = keepsClickIDs
    }

    /// What a visitor's consent allows: coarse positions with measurement, click identifiers with the
    /// consent to link what happens here with what ad platforms know.
    public init(_ consent: Consent) {
        keepsCoarsePosition = consent.contains(.measurement)
        keepsClickIDs = consent.contains(.linking)
    }
}
