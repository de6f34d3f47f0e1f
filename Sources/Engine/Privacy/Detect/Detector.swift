public import Bytes

/// Finds personal data in texts: e-mail addresses, numbers of phones, cards and states, names,
/// addresses, health, secrets and positions, also encoded and in two dozen languages.
///
/// One pass over the bytes tells most clean texts; only others are decoded and scanned. Work is
/// linear in the length. Owned by one thread; clean texts cost no allocation.
public struct Detector: ~Copyable {
    /// A longer text is not looked at and counts as one find.
    public static let bytesMaximum = TextScanner.bytesMaximum

    /// What was found last, in order and without overlap.
    public private(set) var spans: [PersonalSpan] = []

    private var scanner: TextScanner
    private var inner: TextScanner
    private var keys: KeyReader
    private var decoded = ByteBuffer(capacity: 2048)
    private let words: WordTable

    /// A detector that knows the engine's word lists.
    public init() {
        words = WordTable.shared
        scanner = TextScanner(words: words)
        inner = TextScanner(words: words)
        keys = KeyReader(words: words)
        spans.reserveCapacity(2 * TextScanner.spansMaximum)
    }

    /// Looks for personal data in `text`, plain UTF-8, that was found at `place` under the name
    /// `key`. Afterwards `spans` holds the finds. True when there are any.
    @discardableResult
    public mutating func scan(
        _ text: ByteView,
        at place: TextPlace,
        key: ByteView = .empty
    ) -> Bool {
        spans.removeAll(keepingCapacity: true)
        if text.isEmpty { return false }
        var context = TextContext()
        context.place = place
        context.key = keys.meaning(of: key)
        if context.key.isClickID { return false }
        if context.key.isEmpty, text.count <= Self.bytesMaximum, Prefilter.isClean(text, words) {
            return false
        }
        look(at: text, context)
        return !spans.isEmpty
    }

    /// Whether the name of a property says what its value holds.
    mutating func hasMeaning(_ key: ByteView) -> Bool { !keys.meaning(of: key).isEmpty }

    /// What a person's trait of this name is; nil when the name tells nothing.
    mutating func personalClass(ofTrait name: ByteView) -> PersonalClass? {
        let meaning = keys.meaning(of: name)
        for one in PersonalClass.allCases where meaning.classes.has(one) { return one }
        for (trait, one) in Self.traits where name.equalsIgnoringCase(trait) { return one }
        return nil
    }

    /// Names that mean a person among a person's traits only.
    private static let traits: [(StaticString, PersonalClass)] = [
        ("name", .personName), ("username", .personName), ("user_name", .personName),
        ("userName", .personName), ("login", .personName), ("nickname", .personName),
        ("contact", .personName), ("avatar", .personName), ("website", .personName),
        ("age", .birthDate), ("gender", .personName), ("zip", .streetAddress),
        ("zipcode", .streetAddress), ("zip_code", .streetAddress), ("postcode", .streetAddress),
        ("postalcode", .streetAddress), ("postal_code", .streetAddress),
    ]

    /// Steps of the last scan, for tests that hold work to be linear.
    var steps: Int { scanner.steps }

    private mutating func look(at text: ByteView, _ context: TextContext) {
        guard text.count <= Self.bytesMaximum else {
            spans.append(PersonalSpan(start: 0, end: text.count, personalClass: .unscanned))
            return
        }
        switch context.place {
        case .url, .referrer, .path: scanURL(text, context)
        default: scanPiece(text, 0..<text.count, context)
        }
        merge(text)
    }

    // MARK: - URLs, cut while they are still encoded

    private mutating func scanURL(_ text: ByteView, _ context: TextContext) {
        let parts = URLParts(text)
        scanUserInformation(text, parts)
        var host = context
        host.place = .freeText
        scanPiece(text, parts.host, host)
        var path = context
        path.place = .path
        scanPiece(text, parts.path, path)
        scanPairs(text, parts.query)
        if text[parts.fragment].firstIndex(of: UInt8(ascii: "=")) != nil {
            scanPairs(text, parts.fragment)
        } else {
            scanPiece(text, parts.fragment, path)
        }
    }

    private mutating func scanUserInformation(_ text: ByteView, _ parts: URLParts) {
        guard !parts.userInformation.isEmpty else { return }
        add(parts.userInformation, .credential)
    }

    private mutating func scanPairs(_ text: ByteView, _ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, text[end] != UInt8(ascii: "&"), text[end] != 59,
                text[end] != UInt8(ascii: "?")
            { end += 1 }
            scanPair(text, start..<end)
            start = end + 1
        }
    }

    private mutating func scanPair(_ text: ByteView, _ pair: Range<Int>) {
        var context = TextContext()
        context.place = .queryValue
        guard let equals = text[pair].firstIndex(of: UInt8(ascii: "=")) else {
            return scanPiece(text, pair, context)
        }
        let name = pair.lowerBound..<pair.lowerBound + equals
        context.key = keys.meaning(of: text[name])
        if context.key.isClickID { return }
        var naming = TextContext()
        naming.place = .propertyName
        scanPiece(text, name, naming)
        scanPiece(text, name.upperBound + 1..<pair.upperBound, context)
    }

    // MARK: - Pieces

    private mutating func scanPiece(
        _ text: ByteView,
        _ range: Range<Int>,
        _ context: TextContext
    ) {
        if range.isEmpty { return }
        if context.key.isEmpty, Prefilter.isClean(text[range], words) { return }
        scanner.load(text[range])
        scanner.scan(context)
        for index in 0..<scanner.found.count {
            let span = scanner.found[index]
            let original = scanner.text.original(span.start..<span.end)
            add(
                original.lowerBound + range.lowerBound..<original.upperBound + range.lowerBound,
                span.personalClass
            )
        }
        if scanner.isFull { add(range, .unscanned) }
        scanEncoded(range.lowerBound, context)
    }

    /// What base64 stands for is scanned once; a find marks the whole token.
    private mutating func scanEncoded(_ base: Int, _ context: TextContext) {
        for index in 0..<scanner.encoded.count {
            let token = scanner.encoded[index]
            decoded.reset()
            guard Base64.decode(scanner.text.bytes, token, into: &decoded) else { continue }
            var plain = context
            plain.place = .propertyValue
            inner.load(decoded.view)
            inner.scan(plain)
            guard let first = inner.found.max(by: { $0.personalClass.rank < $1.personalClass.rank })
            else { continue }
            let original = scanner.text.original(token)
            add(
                original.lowerBound + base..<original.upperBound + base,
                first.personalClass
            )
        }
    }

    // MARK: - Finds

    private mutating func add(_ range: Range<Int>, _ one: PersonalClass) {
        if range.isEmpty { return }
        spans.append(
            PersonalSpan(start: range.lowerBound, end: range.upperBound, personalClass: one)
        )
    }

    /// Sorted, without overlaps, and never inside a character.
    private mutating func merge(_ text: ByteView) {
        if spans.isEmpty { return }
        for index in spans.indices { spans[index] = Self.widened(spans[index], text) }
        spans.sort { ($0.start, $1.end) < ($1.start, $0.end) }
        var last = 0
        for index in spans.indices.dropFirst() {
            if spans[index].start < spans[last].end {
                spans[last].end = max(spans[last].end, spans[index].end)
                if spans[index].personalClass.rank > spans[last].personalClass.rank {
                    spans[last].personalClass = spans[index].personalClass
                }
            } else {
                last += 1
                spans[last] = spans[index]
            }
        }
        spans.removeLast(spans.count - last - 1)
    }

    /// Bytes 10xxxxxx continue a character (RFC 3629 section 3).
    private static func widened(_ span: PersonalSpan, _ text: ByteView) -> PersonalSpan {
        var span = span
        while span.start > 0, text[span.start] & 0xc0 == 0x80 { span.start -= 1 }
        while span.end < text.count, text[span.end] & 0xc0 == 0x80 { span.end += 1 }
        return span
    }
}

/// Where the parts of a URL stand (RFC 3986 section 3), of raw bytes.
struct URLParts {
    /// With its colon; empty when there is none.
    var scheme = 0..<0
    /// Without the `@`.
    var userInformation = 0..<0
    /// Host and port.
    var host = 0..<0
    var path = 0..<0
    /// Without the question mark.
    var query = 0..<0
    /// Without the number sign.
    var fragment = 0..<0
    /// Whether there is an authority, even an empty one.
    var hasAuthority = false

    init(_ url: ByteView) {
        let hash = url.firstIndex(of: UInt8(ascii: "#")) ?? url.count
        let front = url[0..<hash]
        let question = front.firstIndex(of: UInt8(ascii: "?")) ?? hash
        fragment = min(hash + 1, url.count)..<url.count
        query = min(question + 1, hash)..<hash
        let start = readAuthority(url[0..<question])
        path = start..<question
    }

    private mutating func readAuthority(_ front: ByteView) -> Int {
        var start = 0
        if let colon = schemeEnd(front) {
            scheme = 0..<colon + 1
            start = colon + 1
        }
        guard front.holds(2, at: start), front[start] == 47, front[start + 1] == 47 else {
            return start
        }
        hasAuthority = true
        let end = front.firstIndex(of: UInt8(ascii: "/"), from: start + 2) ?? front.count
        var first = start + 2
        for index in start + 2..<end where front[index] == UInt8(ascii: "@") { first = index + 1 }
        if first > start + 2 { userInformation = start + 2..<first - 1 }
        host = first..<end
        return end
    }

    private func schemeEnd(_ front: ByteView) -> Int? {
        guard let colon = front.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon <= 32 else {
            return nil
        }
        for index in 0..<colon {
            let byte = front[index]
            guard Characters.isAlphanumeric(byte) || byte == 43 || byte == 45 || byte == 46 else {
                return nil
            }
        }
        return Characters.isLetter(front[0]) ? colon : nil
    }
}
