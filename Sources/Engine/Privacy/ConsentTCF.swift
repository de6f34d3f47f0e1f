public import Bytes

/// A string of IAB Europe's Transparency and Consent Framework, version 2: what a consent dialogue
/// noted of a visitor's answers.
public struct TCFConsent: Equatable, Sendable {
    /// When the string was made first, tenths of a second since 1970.
    public private(set) var createdDeciseconds: Int64 = 0
    /// The dialogue's number.
    public private(set) var dialogue = 0
    /// Version of the Global Vendor List that was asked about.
    public private(set) var vendorListVersion = 0
    /// Purposes that the publisher has consent for; bit 0 is purpose 1.
    public private(set) var purposes: UInt32 = 0
    /// Purposes that rest on the publisher's legitimate interest; bit 0 is purpose 1.
    public private(set) var interests: UInt32 = 0
    /// Whether the vendor asked about has consent and was disclosed where the string tells of that.
    public private(set) var allowsVendor = false
    /// Purposes that the publisher forbids the vendor asked about; bit 0 is purpose 1.
    public private(set) var forbidden: UInt32 = 0
    /// Whether the string says which vendors were disclosed.
    public private(set) var namesDisclosedVendors = false
    /// Whether the vendor asked about was disclosed.
    public private(set) var disclosesVendor = false

    private var seenSegments: UInt8 = 0

    /// Whether purpose `number`, from 1, has consent.
    public func allows(purpose number: Int) -> Bool { purposes >> UInt32(number - 1) & 1 == 1 }

    /// Whether purpose `number`, from 1, has consent or rests on legitimate interest.
    public func allowsOrRests(purpose number: Int) -> Bool {
        (purposes | interests) >> UInt32(number - 1) & 1 == 1
    }

    /// Reads a string; nil when it is malformed, of another version or not this service's own.
    public init?(_ text: ByteView, vendor: Int) {
        guard text.count <= Self.bytesMaximum else { return nil }
        var segments = ConsentPieces(text, separator: UInt8(ascii: "."))
        guard let first = segments.next(), let core = ConsentBitText(first),
            readCore(core, vendor)
        else { return nil }
        while let piece = segments.next() {
            guard let segment = ConsentBitText(piece), readSegment(segment, vendor) else {
                return nil
            }
        }
        if namesDisclosedVendors, !disclosesVendor { allowsVendor = false }
    }

    /// What a record may hold of a string.
    public static let bytesMaximum = 2048

    // MARK: - Core

    private mutating func readCore(_ core: ConsentBitText, _ vendor: Int) -> Bool {
        guard core.number(6, at: 0) == 2, core.number(1, at: 138) == 1,
            let created = core.number(36, at: 6), let dialogue = core.number(12, at: 78),
            let list = core.number(12, at: 120), let consents = core.number(24, at: 152),
            let interests = core.number(24, at: 176)
        else { return false }
        createdDeciseconds = Int64(created)
        (self.dialogue, vendorListVersion) = (Int(dialogue), Int(list))
        purposes = Self.lowestFirst(consents, count: 24)
        // Purposes 3 to 6 may rest on consent alone since version 2.2.
        self.interests = Self.lowestFirst(interests, count: 24) & ~0b11_1100
        return readVendors(core, vendor)
    }

    /// Vendors with consent, those with a legitimate interest, and what the publisher restricts.
    private mutating func readVendors(_ core: ConsentBitText, _ vendor: Int) -> Bool {
        var core = core
        guard core.skip(213), let consent = core.takeVendors(containing: vendor),
            core.takeVendors(containing: vendor) != nil, let count = core.take(12)
        else { return false }
        allowsVendor = consent
        for _ in 0..<count {
            guard let purpose = core.take(6), let kind = core.take(2),
                let isNamed = core.takeRanges(containing: vendor, maximum: 65_535)
            else { return false }
            if kind == 0, isNamed, 1...24 ~= purpose { forbidden |= 1 << UInt32(purpose - 1) }
        }
        return true
    }

    // MARK: - Later segments

    /// Kinds that are not known are passed over; one that comes twice makes the string malformed.
    private mutating func readSegment(_ segment: ConsentBitText, _ vendor: Int) -> Bool {
        var segment = segment
        guard let kind = segment.take(3), kind != 0, seenSegments >> UInt8(kind) & 1 == 0 else {
            return false
        }
        seenSegments |= 1 << UInt8(kind)
        switch kind {
        case 1:
            guard let isDisclosed = segment.takeVendors(containing: vendor) else { return false }
            (namesDisclosedVendors, disclosesVendor) = (true, isDisclosed)
            return true
        case 3: return readPublisher(segment)
        default: return true
        }
    }

    /// The publisher's own purposes go before those of the core: we are the publisher's processor.
    private mutating func readPublisher(_ segment: ConsentBitText) -> Bool {
        guard let consents = segment.number(24, at: 3), let interests = segment.number(24, at: 27)
        else { return false }
        purposes = Self.lowestFirst(consents, count: 24)
        self.interests = Self.lowestFirst(interests, count: 24) & ~0b11_1100
        return true
    }

    /// Bits that were written first to last as bits from the lowest.
    private static func lowestFirst(_ bits: UInt64, count: UInt64) -> UInt32 {
        var result: UInt32 = 0
        for index in 0..<count where bits >> (count - 1 - index) & 1 == 1 {
            result |= 1 << UInt32(index)
        }
        return result
    }
}

extension ConsentBitText {
    /// A list of vendors, as bits or as ranges: whether `vendor` is in it.
    mutating func takeVendors(containing vendor: Int) -> Bool? {
        guard let maximum = take(16), let isRange = take(1) else { return nil }
        if isRange == 1 { return takeRanges(containing: vendor, maximum: maximum) }
        let start = position
        guard skip(maximum) else { return nil }
        return vendor >= 1 && vendor <= maximum && number(1, at: start + vendor - 1) == 1
    }

    /// Ranges of vendors, which must lie within `1...maximum`.
    mutating func takeRanges(containing vendor: Int, maximum: Int) -> Bool? {
        guard let count = take(12) else { return nil }
        var isFound = false
        for _ in 0..<count {
            guard let isRange = take(1), let first = take(16),
                let last = isRange == 1 ? take(16) : first,
                first >= 1, first <= last, last <= maximum
            else { return nil }
            if first...last ~= vendor { isFound = true }
        }
        return isFound
    }
}
