/// Meta's browser ids: the cookies `_fbc` and `_fbp` (conversions.md 1.4.1, 1.4.2).
public struct FacebookID: Sendable, Equatable {
    /// Labels of the cookie's domain less one.
    public let subdomainIndex: Int
    /// When it was made, epoch milliseconds.
    public let createdAtMilliseconds: Int64
    /// The click id, or the random number.
    public let payload: String
    /// Meta's own libraries append their version; it is passed on, never made.
    public let suffix: String?

    /// How many digits the time has: seconds would have ten.
    private static let timeDigits = 13
    /// The suffixes of two letters that exist; those of eight hold six bytes.
    private static let shortSuffixes = ["AQ", "Ag", "Aw", "BA", "BQ", "Bg"]

    /// A click id, `fb.1.1700000000000.IwAR…`; nil when Meta would refuse the whole request for it.
    public init?(click text: String) { self.init(text, isPayload: FacebookID.isClickID) }

    /// A browser id, `fb.1.1700000000000.1116446470`; nil when it is none.
    public init?(browser text: String) {
        self.init(text) { TextForms.isDigits($0) && $0.utf8.count <= 20 }
    }

    private init?(_ text: String, isPayload: (Substring) -> Bool) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (4...5).contains(parts.count), parts[0] == "fb",
            parts[1].utf8.count == 1, let index = Int(parts[1]), TextForms.isDigits(parts[1]),
            parts[2].utf8.count == Self.timeDigits, TextForms.isDigits(parts[2]),
            let time = Int64(parts[2]), isPayload(parts[3])
        else { return nil }
        if parts.count == 5, !Self.isSuffix(parts[4]) { return nil }
        subdomainIndex = index
        createdAtMilliseconds = time
        payload = String(parts[3])
        suffix = parts.count == 5 ? String(parts[4]) : nil
    }

    private static func isSuffix(_ text: Substring) -> Bool {
        text.utf8.count == 2
            ? shortSuffixes.contains(String(text))
            : text.utf8.count == 8 && isClickID(text)
    }

    /// Letters of base64url, case untouched.
    static func isClickID(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= 500
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 45 || $0 == 95
            }
    }

    /// An id made by the server: of a click when it was first seen, or of a browser when it first came.
    public init?(payload: String, atMilliseconds: Int64, subdomainIndex: Int = 1) {
        guard Self.isClickID(payload), String(atMilliseconds).utf8.count == Self.timeDigits,
            (0...9).contains(subdomainIndex)
        else { return nil }
        self.subdomainIndex = subdomainIndex
        createdAtMilliseconds = atMilliseconds
        self.payload = payload
        suffix = nil
    }

    /// As it is sent.
    public var text: String {
        "fb.\(subdomainIndex).\(createdAtMilliseconds).\(payload)"
            + (suffix.map { ".\($0)" } ?? "")
    }

    /// The click id that a visitor now has: the cookie's, unless the address brings another click.
    ///
    /// An address that repeats the cookie's click changes nothing, neither value nor time.
    public static func click(
        cookie: String?,
        clickID: String?,
        seenAtMilliseconds: Int64,
        subdomainIndex: Int = 1
    ) -> FacebookID? {
        let known = cookie.flatMap { FacebookID(click: $0) }
        // As the address had it: percent escapes resolved once, then held against what Meta takes.
        guard let clickID = clickID.flatMap({ decoded($0[...]) }), clickID != known?.payload else {
            return known
        }
        return FacebookID(
            payload: clickID,
            atMilliseconds: seenAtMilliseconds,
            subdomainIndex: subdomainIndex
        ) ?? known
    }

    /// The click id in a page's address, percent escapes resolved once; nil when there is none that
    /// could be meant.
    public static func clickID(inURL url: String) -> String? {
        guard let question = url.firstIndex(of: "?") else { return nil }
        let query = url[url.index(after: question)...].prefix { $0 != "#" }
        for pair in query.split(separator: "&") where pair.hasPrefix("fbclid=") {
            let value = decoded(pair.dropFirst("fbclid=".count))
            return value.flatMap { isClickID($0) ? $0 : nil }
        }
        return nil
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let digits = String(rest.prefix(2)),
                let value = UInt8(digits, radix: 16), !digits.hasPrefix("+")
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
