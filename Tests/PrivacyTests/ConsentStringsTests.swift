import Bytes
import Records
import TestSupport
import Testing

@testable import Privacy

/// Writes numbers as the strings of consent dialogues hold them.
struct BitText {
    private(set) var bits: [UInt8] = []

    mutating func add(_ value: UInt64, _ count: Int) {
        for bit in stride(from: count - 1, through: 0, by: -1) {
            bits.append(UInt8(value >> UInt64(bit) & 1))
        }
    }

    mutating func set(_ value: UInt64, _ count: Int, at start: Int) {
        while bits.count < start + count { bits.append(0) }
        for bit in 0..<count { bits[start + bit] = UInt8(value >> UInt64(count - 1 - bit) & 1) }
    }

    var text: String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var padded = bits
        while padded.count % 6 != 0 { padded.append(0) }
        return String(
            stride(from: 0, to: padded.count, by: 6).map { start in
                letters[padded[start..<start + 6].reduce(0) { $0 << 1 | Int($1) }]
            }
        )
    }
}

/// A core string with the purposes given, and vendor 755 in a bit field or not.
func tcfCore(
    purposes: [Int],
    interests: [Int] = [],
    version: UInt64 = 2,
    isOwn: UInt64 = 1,
    vendor: Bool = true
) -> BitText {
    var core = BitText()
    core.set(version, 6, at: 0)
    core.set(isOwn, 1, at: 138)
    for purpose in purposes { core.set(1, 1, at: 151 + purpose) }
    for purpose in interests { core.set(1, 1, at: 175 + purpose) }
    core.set(755, 16, at: 213)
    core.set(vendor ? 1 : 0, 1, at: 230 + 754)
    core.add(0, 16)
    core.add(0, 1)
    core.add(0, 12)
    return core
}

@Suite("Consent strings say what they say, and nothing when they are broken")
struct ConsentStringsTests {
    private static let vector =
        "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"

    @Test("the specification's own string")
    func vectorOfTheSpecification() throws {
        let read = withView(Self.vector) { TCFConsent($0, vendor: 404) }
        let consent = try #require(read)
        #expect(consent.createdDeciseconds / 864_000 == 20_242)  // 3 June 2025
        #expect(consent.dialogue == 880)
        #expect(consent.vendorListVersion == 48)
        #expect(consent.purposes == 0 && consent.interests == 0)
        #expect(consent.namesDisclosedVendors && !consent.allowsVendor)
        for vendor in 1...500 {
            let found = withView(Self.vector) { TCFConsent($0, vendor: vendor) }
            let isExpected = (1...5).contains(vendor) || vendor == 100 || vendor == 404
            #expect(found?.disclosesVendor == isExpected, "vendor \(vendor)")
        }
    }

    @Test("another version, another service's string and broken ones are no consent")
    func malformedStrings() {
        let all = Array(1...11)
        var broken = [
            "", ".", "C", "CQSbk4A", "!!!!", Self.vector + ".", Self.vector + "=",
            Self.vector + ".A", tcfCore(purposes: all, version: 1).text,
            tcfCore(purposes: all, isOwn: 0).text, String(repeating: "C", count: 2049),
        ]
        // The same segment twice.
        broken.append(Self.vector + ".IDKQA4AAgAKAGQAygAAA")
        // Every string that ends too early.
        let core = tcfCore(purposes: all).text
        for length in 0..<core.count - 1 { broken.append(String(core.prefix(length))) }
        for text in broken {
            #expect(withView(text) { TCFConsent($0, vendor: 755) } == nil, "\(text)")
        }
        #expect(withView(core) { TCFConsent($0, vendor: 755) } != nil)
    }

    @Test("vendors come as bits or as ranges, and a publisher may restrict them")
    func vendors() {
        var ranges = BitText()
        ranges.set(2, 6, at: 0)
        ranges.set(1, 1, at: 138)
        ranges.set(0xff_ffff, 24, at: 152)
        ranges.set(800, 16, at: 213)
        ranges.set(1, 1, at: 229)
        ranges.add(2, 12)
        ranges.add(0, 1)
        ranges.add(10, 16)
        ranges.add(1, 1)
        ranges.add(700, 16)
        ranges.add(800, 16)
        ranges.add(0, 16)
        ranges.add(0, 1)
        var restricted = ranges
        ranges.add(0, 12)
        for (vendor, isAllowed) in [
            (10, true), (11, false), (700, true), (755, true), (801, false),
        ] {
            let read = withView(ranges.text) { TCFConsent($0, vendor: vendor) }
            #expect(read?.allowsVendor == isAllowed, "vendor \(vendor)")
        }
        restricted.add(1, 12)
        restricted.add(4, 6)
        restricted.add(0, 2)
        restricted.add(1, 12)
        restricted.add(0, 1)
        restricted.add(755, 16)
        #expect(withView(restricted.text) { TCFConsent($0, vendor: 755)?.forbidden } == 0b1000)
        #expect(withView(restricted.text) { TCFConsent($0, vendor: 10)?.forbidden } == 0)
    }

    @Test("the publisher's own purposes go before those of the core")
    func publisherSegment() {
        var publisher = BitText()
        publisher.add(3, 3)
        publisher.add(0b1000_0001 << 16, 24)
        publisher.add(0, 24)
        publisher.add(0, 6)
        let text = tcfCore(purposes: Array(1...11)).text + "." + publisher.text
        let read = withView(text) { TCFConsent($0, vendor: 755) }
        #expect(read?.purposes == 0b1000_0001)
    }

    @Test(
        "purposes become our bits",
        arguments: [
            ([], 0), ([1], 2), ([8], 1), ([9], 1), ([5, 6], 0), ([5, 6, 9], 21),
            ([1, 2, 3, 4], 42),
            ([1, 7, 3, 4], 42), ([1, 3, 4], 2), ([2, 3, 4], 0), (Array(1...11), 63),
        ] as [([Int], UInt8)]
    )
    func purposesBecomeBits(_ purposes: [Int], _ bits: UInt8) {
        let read = withView(tcfCore(purposes: purposes).text) { TCFConsent($0, vendor: 755) }
        #expect(read?.consent(ConsentPolicy()).rawValue == bits)
    }

    @Test("advertising needs the vendor, unless the site asks about none")
    func advertisingNeedsTheVendor() {
        let text = tcfCore(purposes: Array(1...11), vendor: false).text
        let read = withView(text) { TCFConsent($0, vendor: 755) }
        #expect(read?.consent(ConsentPolicy()).rawValue == 23)
        var policy = ConsentPolicy()
        policy.advertisingVendor = 0
        #expect(read?.consent(policy).rawValue == 63)
    }

    @Test("legitimate interest counts for measurement alone, and where the site takes it")
    func legitimateInterest() {
        let text = tcfCore(purposes: [], interests: Array(1...11)).text
        let read = withView(text) { TCFConsent($0, vendor: 755) }
        var policy = ConsentPolicy()
        #expect(read?.consent(policy).rawValue == 0)
        policy.acceptsLegitimateInterest = true
        #expect(read?.consent(policy).rawValue == 1)
        #expect(read?.interests == 0b111_1100_0011)
    }

    @Test(
        "headers of the Global Privacy Platform",
        arguments: [
            ("DBABM", [2]), ("DBACNY", [2, 6]), ("DBABjw", [5, 6]),
        ] as [(String, [UInt8])]
    )
    func platformHeaders(_ header: String, _ ids: [UInt8]) {
        let read = withView(header) { GPPConsent.sections(of: $0) }
        #expect(read?.count == ids.count)
        for (index, id) in ids.enumerated() { #expect(read?.values[index] == id) }
    }

    /// A platform string with one section of the United States.
    private func state(_ id: Int, _ fields: [(Int, UInt64)], bits: Int = 64, gpc: UInt64? = nil)
        -> String
    {
        var header = BitText()
        header.add(3, 6)
        header.add(1, 6)
        header.add(1, 12)
        header.add(0, 1)
        for bit in Self.fibonacci(id) { header.add(bit, 1) }
        var section = BitText()
        section.set(id >= 24 ? UInt64(id) : 1, 6, at: 0)
        section.set(0, 1, at: bits - 1)
        for (at, value) in fields { section.set(value, 2, at: at) }
        var text = header.text + "~" + section.text
        if let gpc {
            var part = BitText()
            part.add(1, 2)
            part.add(gpc, 1)
            text += "." + part.text
        }
        return text
    }

    private static func fibonacci(_ number: Int) -> [UInt64] {
        var numbers = [1, 2]
        while numbers[numbers.count - 1] <= number {
            numbers.append(numbers[numbers.count - 1] + numbers[numbers.count - 2])
        }
        var (rest, bits, isFirst) = (number, [UInt64](), true)
        for value in numbers.reversed() {
            if value <= rest {
                (rest, isFirst) = (rest - value, false)
                bits.insert(1, at: 0)
            } else if !isFirst {
                bits.insert(0, at: 0)
            }
        }
        return bits + [1]
    }

    @Test(
        "an opt-out is found where each state keeps it",
        arguments: [
            (7, [18, 20, 22]), (8, [12, 14]), (9, [12, 14]), (10, [12, 14]), (11, [14, 16]),
            (12, [12, 14]), (13, [12, 14]), (14, [12, 14]), (15, [12, 14]), (16, [12, 14]),
            (17, [12, 14]), (18, [14, 16]), (19, [12, 14]), (20, [12, 14]), (21, [12, 14]),
            (22, [12, 14]), (23, [12, 14]), (24, [28, 30]), (25, [28, 30]), (26, [28, 30]),
            (27, [28, 30]),
        ]
    )
    func optOuts(_ id: Int, _ places: [Int]) {
        let none = places.map { ($0, UInt64(2)) }
        #expect(withView(state(id, none)) { GPPConsent($0)?.isOptedOut } == false)
        for place in places {
            let fields = none + [(place, 1)]
            #expect(withView(state(id, fields)) { GPPConsent($0)?.isOptedOut } == true)
        }
        #expect(withView(state(id, none, gpc: 1)) { GPPConsent($0)?.isOptedOut } == true)
        #expect(withView(state(id, none, gpc: 0)) { GPPConsent($0)?.isOptedOut } == false)
        #expect(withView(state(id, none, bits: 6)) { GPPConsent($0) == nil } || id >= 24)
    }

    @Test(
        "a child is found where each state says so",
        arguments: [
            (7, [48, 50]), (8, [34, 36]), (9, [32]), (10, [30]), (11, [34]), (12, [32, 34, 36]),
            (15, [38, 40, 42]), (17, [34, 42]), (18, [34]), (21, [36, 44]), (22, [32]), (25, [32]),
            (27, [32]),
        ]
    )
    func children(_ id: Int, _ places: [Int]) {
        #expect(withView(state(id, [])) { GPPConsent($0)?.isMinor } == false)
        for place in places {
            #expect(withView(state(id, [(place, 1)])) { GPPConsent($0)?.isMinor } == true)
        }
    }

    @Test(
        "platform strings that are broken",
        arguments: [
            "", "~", "DBABM", "DBABM~", "DBACNY~CQSbk4A", "DBABjw~x~1YNN", "DBACNY~x~1YN",
            "DBABM~a~b", "AAAA~x", "DBABMA~~",
        ]
    )
    func brokenPlatformStrings(_ text: String) {
        let read = withView(text) { GPPConsent($0) }
        // A section of the European framework is read by its own reader.
        #expect(read == nil || text == "DBABM~" || text == "DBABjw~x~1YNN")
    }

    @Test("us_privacy and Consent Mode")
    func shortForms() {
        for (text, answer) in [("1YNN", false), ("1NYN", true), ("1---", false), ("1nyn", true)] {
            #expect(withView(text) { USPrivacy.isOptedOut($0) } == answer)
        }
        for text in ["", "1YN", "2YNN", "1YNNN", "1YXN"] {
            #expect(withView(text) { USPrivacy.isOptedOut($0) } == nil)
        }
        for (text, granted, denied) in [
            ("gggg", 43, 0), ("dddd", 0, 43), ("uuuu", 0, 0), ("gddd", 3, 40), ("gggd", 11, 32),
            ("ugdg", 32, 8), ("ugug", 32, 0),
        ] as [(String, UInt8, UInt8)] {
            let mode = withView(text) { GoogleConsentMode($0) }
            #expect(mode?.granted.rawValue == granted && mode?.denied.rawValue == denied, "\(text)")
        }
        for text in ["", "ggg", "ggggg", "gGgg", "1111"] {
            #expect(withView(text) { GoogleConsentMode($0) } == nil)
        }
    }
}
