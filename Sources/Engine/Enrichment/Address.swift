import Bytes
import Settings

/// The parts of a page's address that enrichment looks at.
struct Address {
    /// The host, without user, port and trailing dot; empty when there is none.
    let host: ByteView
    /// What stands between `?` and `#`.
    let query: ByteView

    /// Reads an absolute address, or a path.
    init(_ text: ByteView) {
        let whole = text[0..<(text.firstIndex(of: UInt8(ascii: "#")) ?? text.count)]
        let question = whole.firstIndex(of: UInt8(ascii: "?")) ?? whole.count
        query = question < whole.count ? whole[question &+ 1..<whole.count] : .empty
        host = Self.host(whole[0..<question])
    }

    /// RFC 3986 section 3.2: `//`, user, host, port, up to the path.
    private static func host(_ text: ByteView) -> ByteView {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text.holds(3, at: colon),
            text[colon..<colon &+ 3].equals("://")
        else { return .empty }
        let start = colon &+ 3
        let end = text.firstIndex(of: UInt8(ascii: "/"), from: start) ?? text.count
        var authority = text[start..<end]
        while let at = authority.firstIndex(of: UInt8(ascii: "@")) {
            authority = authority[at &+ 1..<authority.count]
        }
        let port = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.count
        let isDotted = port > 0 && authority[port &- 1] == UInt8(ascii: ".")
        let host = authority[0..<(isDotted ? port &- 1 : port)]
        return host.count <= Limits.hostBytesMaximum ? host : .empty
    }

    /// The host without `www.`.
    static func withoutWWW(_ host: ByteView) -> ByteView {
        guard host.count > 4, host[0..<4].equalsIgnoringCase("www.") else { return host }
        return host[4..<host.count]
    }

    /// Whether this address, as a referrer, is of the same site as `host`: the same host, or one
    /// of them a subdomain of the other.
    func isInternal(to host: ByteView) -> Bool {
        let left = Self.withoutWWW(self.host)
        let right = Self.withoutWWW(host)
        guard !left.isEmpty, !right.isEmpty else { return false }
        return Self.isWithin(left, right) || Self.isWithin(right, left)
    }

    /// Whether `host` is `domain` or below it, without regard to case.
    static func isWithin(_ host: ByteView, _ domain: ByteView) -> Bool {
        let start = host.count &- domain.count
        guard start == 0 || (start > 0 && host[start &- 1] == UInt8(ascii: ".")) else {
            return false
        }
        for index in 0..<domain.count
        where asciiLowercase(host[start &+ index]) != asciiLowercase(domain[index]) {
            return false
        }
        return true
    }
}
