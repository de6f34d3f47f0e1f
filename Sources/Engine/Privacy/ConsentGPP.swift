public import Bytes

/// A string of IAB's Global Privacy Platform: answers by region, each in a section of its own.
public struct GPPConsent {
    /// A section of the United States says that sale, sharing or targeted advertising is opted out
    /// of, or that the browser sent Global Privacy Control.
    public private(set) var isOptedOut = false
    /// A section says something of a child.
    public private(set) var isMinor = false
    /// The section of the Transparency and Consent Framework for Europe; empty when there is none.
    public private(set) var tcf = ByteView.empty

    /// What a record may hold of a string.
    public static let bytesMaximum = 2048
    /// More sections than there are.
    static let sectionsMaximum = 32

    /// Reads a string; nil when its header or a section that counts here is malformed.
    ///
    /// Where in the United States the visitor is stays open: any section counts.
    public init?(_ text: ByteView) {
        guard text.count <= Self.bytesMaximum, let ids = Self.sections(of: text) else { return nil }
        var pieces = ConsentPieces(text, separator: UInt8(ascii: "~"))
        _ = pieces.next()
        for index in 0..<ids.count {
            guard let piece = pieces.next(), take(ids.values[index], piece) else { return nil }
        }
        if pieces.next() != nil { return nil }
    }

    // MARK: - Header

    /// Ids of sections, ascending.
    struct SectionIDs {
        var values = InlineArray<32, UInt8>(repeating: 0)
        var count = 0

        mutating func append(_ id: Int) -> Bool {
            guard count < GPPConsent.sectionsMaximum, id <= 255 else { return false }
            values[count] = UInt8(id)
            count += 1
            return true
        }
    }

    /// Type 3, version 1, then Fibonacci-coded ids or ranges, each counted from the one before.
    static func sections(of text: ByteView) -> SectionIDs? {
        var pieces = ConsentPieces(text, separator: UInt8(ascii: "~"))
        guard let first = pieces.next(), var header = ConsentBitText(first), header.take(6) == 3,
            header.take(6) == 1, let count = header.take(12), count <= sectionsMaximum
        else { return nil }
        var ids = SectionIDs()
        var last = 0
        for _ in 0..<count {
            guard let isRange = header.take(1), let step = header.takeFibonacci() else {
                return nil
            }
            last += step
            guard ids.append(last) else { return nil }
            if isRange == 0 { continue }
            guard let length = header.takeFibonacci() else { return nil }
            for _ in 0..<length {
                last += 1
                guard ids.append(last) else { return nil }
            }
        }
        return ids
    }

    // MARK: - Sections

    private mutating func take(_ id: UInt8, _ section: ByteView) -> Bool {
        switch id {
        case 2: tcf = section
        case 6:
            guard let isOptedOut = USPrivacy.isOptedOut(section) else { return false }
            if isOptedOut { self.isOptedOut = true }
        case 7...27: return takeState(id, section)
        default: break
        }
        return true
    }

    private mutating func takeState(_ id: UInt8, _ section: ByteView) -> Bool {
        var parts = ConsentPieces(section, separator: UInt8(ascii: "."))
        guard let first = parts.next(), let core = ConsentBitText(first),
            let layout = StateLayout(id, core), layout.read(core, &isOptedOut, &isMinor)
        else { return false }
        while let part = parts.next() {
            guard let bits = ConsentBitText(part), let kind = bits.number(2, at: 0),
                let value = bits.number(1, at: 2)
            else { return false }
            // The core document's table shows 0 for true; the sections' own pages say 1.
            if kind == 1, value == 1 { isOptedOut = true }
        }
        return true
    }
}

/// Where a section of the United States has the fields that matter here, in bits.
private struct StateLayout {
    /// First bit of SaleOptOut; those of sharing and targeted advertising follow, two bits each.
    let optOutsAt: Int
    let optOuts: Int
    /// First bit of KnownChildSensitiveDataConsents, two bits each.
    let childAt: Int
    let children: Int

    init(_ optOutsAt: Int, _ optOuts: Int, child: Int, _ children: Int) {
        (self.optOutsAt, self.optOuts) = (optOutsAt, optOuts)
        (childAt, self.children) = (child, children)
    }

    init?(_ id: UInt8, _ core: ConsentBitText) {
        switch id {
        case 7:
            // Version 2 asks about four more kinds of sensitive data and one more age.
            guard let version = core.number(6, at: 0), version > 0 else { return nil }
            self = version == 1 ? Self(18, 3, child: 48, 2) : Self(18, 3, child: 56, 3)
        case 8: self.init(12, 2, child: 34, 2)
        case 10: self.init(12, 2, child: 30, 1)
        case 11, 18: self.init(14, 2, child: 34, 1)
        case 12, 13, 14, 20: self.init(12, 2, child: 32, 3)
        case 15: self.init(12, 2, child: 38, 3)
        case 17: self.init(12, 2, child: 34, 5)
        case 21: self.init(12, 2, child: 36, 5)
        case 24: self.init(28, 2, child: 32, 0)
        case 25, 26, 27: self.init(28, 2, child: 32, 1)
        default: self.init(12, 2, child: 32, 1)
        }
    }

    /// False when the section is too short.
    func read(_ core: ConsentBitText, _ isOptedOut: inout Bool, _ isMinor: inout Bool) -> Bool {
        for index in 0..<optOuts {
            guard let value = core.number(2, at: optOutsAt + 2 * index) else { return false }
            if value == 1 { isOptedOut = true }
        }
        for index in 0..<children {
            guard let value = core.number(2, at: childAt + 2 * index) else { return false }
            if value != 0 { isMinor = true }
        }
        return true
    }
}

/// IAB's older `us_privacy` for California: version, notice, opt-out of sale, agreement.
public enum USPrivacy {
    /// Whether sale is opted out of; nil when the text is malformed.
    public static func isOptedOut(_ text: ByteView) -> Bool? {
        guard text.count == 4, text[0] == UInt8(ascii: "1") else { return nil }
        for index in 1..<4 {
            switch asciiLowercase(text[index]) {
            case UInt8(ascii: "y"), UInt8(ascii: "n"), UInt8(ascii: "-"): continue
            default: return nil
            }
        }
        return asciiLowercase(text[2]) == UInt8(ascii: "y")
    }
}
