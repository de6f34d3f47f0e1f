import Bytes

/// A URL that the engine may be told to call, taken apart strictly (RFC 3986 section 3, a subset).
///
/// Anything unusual is refused instead of understood, because another parser may understand it
/// otherwise.
public struct WebhookAddress: Sendable, Equatable {
    /// Whether `https`.
    public let isSecure: Bool
    /// The host in lower case, an IPv6 address without brackets.
    public let host: String
    /// The port, the scheme's when none is written.
    public let port: Int
    /// Path and query, at least `/`.
    public let target: String
    /// The address when the host is one in the usual spelling.
    public let literal: InternetAddress?

    /// Ports that may be called, beside any port of this machine in tests.
    public static let ports = [443, 8443]

    /// Reads `http://…` or `https://…` without user, fragment or control characters; nil otherwise.
    public init?(_ url: String) {
        guard url.utf8.allSatisfy({ (33...126).contains($0) && !Self.refused.contains($0) }),
            let scheme = url.hasPrefix("https://") ? "https://" : Self.plainScheme(url)
        else { return nil }
        isSecure = scheme == "https://"
        let rest = url.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...]
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
        guard let (host, port) = Self.split(rest[..<end]) else { return nil }
        guard let read = Self.readHost(host) else { return nil }
        (self.host, literal) = read
        guard let port else {
            self.port = isSecure ? 443 : 80
            return
        }
        guard let number = Int(port), String(number) == port, (1...65_535).contains(number) else {
            return nil
        }
        self.port = number
    }

    /// `"`, `#`, `<`, `>`, `@`, `\`, `^`, `` ` ``, `{`, `|`, `}`: not in a URL, or a user or fragment.
    private static let refused = Set("\"#<>@\\^`{|}".utf8)

    private static func plainScheme(_ url: String) -> String? {
        url.hasPrefix("http://") ? "http://" : nil
    }

    private static func split(_ authority: Substring) -> (Substring, Substring?)? {
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            return (authority[...close], rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else { return nil }
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }

    private static func readHost(_ host: Substring) -> (String, InternetAddress?)? {
        if host.hasPrefix("[") {
            let inner = String(host.dropFirst().dropLast())
            guard let address = InternetAddress(string: inner), inner.contains(":") else {
                return nil
            }
            return (inner.lowercased(), address)
        }
        let name = host.lowercased()
        if let address = InternetAddress(string: name) { return (name, address) }
        return isName(name) ? (name, nil) : nil
    }

    /// Host names of at least two labels (RFC 1123 section 2.1), and `localhost`. A last label that
    /// begins with a digit would be an address in one of its odd spellings: octal, hexadecimal,
    /// shortened.
    private static func isName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= Limits.hostBytesMaximum, let last = labels.last?.utf8.first,
            Characters.isLowercase(last), labels.count >= 2 || name == "localhost"
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy {
                    Characters.isLowercase($0) || Characters.isDigit($0) || $0 == 45
                }
        }
    }

    /// Whether the host is this machine by name or address.
    public var isLoopback: Bool { host == "localhost" || literal?.isLoopback == true }

    /// What is wrong with a webhook's URL; nil when it may be called.
    public static func problem(withURL url: String, allowsLoopback: Bool) -> String? {
        guard let address = WebhookAddress(url) else {
            return "must be https://host/path without user, fragment or unusual spelling"
        }
        if address.isLoopback {
            return allowsLoopback ? nil : "is on this machine; allow_loopback is for tests"
        }
        if !address.isSecure { return "must begin with https://" }
        if !ports.contains(address.port) { return "has port \(address.port), must be 443 or 8443" }
        if address.host.hasSuffix(".localhost") { return "is on this machine" }
        if let literal = address.literal, !AddressRules.isPublic(literal) {
            return "is at an address that is not public"
        }
        return nil
    }

    /// What is wrong with an endpoint in place of a platform's: https, or this machine.
    public static func problem(withEndpoint endpoint: String) -> String? {
        guard let address = WebhookAddress(endpoint), address.target == "/",
            !endpoint.hasSuffix("/")
        else { return "must be https://host or https://host:port" }
        return address.isSecure || address.isLoopback ? nil : "must begin with https://"
    }
}

/// Which addresses the engine may connect to on somebody's word: those of the public internet.
public enum AddressRules {
    /// Whether a connection may go to the address, 4 or 16 bytes in network order.
    public static func isPublic(_ address: InternetAddress) -> Bool {
        switch address.length {
        case 4: return !four.contains { $0.contains(address) }
        case 16:
            // Only 2000::/3 is given out (RFC 4291 section 2.4); the rest is local, mapped or reserved.
            return global.contains { $0.contains(address) }
                && !six.contains { $0.contains(address) }
        default: return false
        }
    }

    /// Whether the address means something on some network only: private, loopback, link-local,
    /// shared, multicast, unspecified or reserved. Those for documentation are not among them.
    public static func isLocal(_ address: InternetAddress) -> Bool {
        address.length == 4
            ? local.contains { $0.contains(address) }
            : !global.contains { $0.contains(address) }
    }

    private static let local = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    ])

    private static func ranges(_ texts: [String]) -> [AddressRange] {
        texts.compactMap { AddressRange($0) }
    }

    /// The IANA registry of special IPv4 addresses (RFC 6890), multicast and the reserved rest.
    private static let four = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ])

    private static let global = ranges(["2000::/3"])

    /// Of 2000::/3: protocol assignments with Teredo and ORCHID, documentation, 6to4 (it hides an IPv4
    /// address), AS112 and segment routing's documentation prefix.
    private static let six = ranges([
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ])
}

extension InternetAddress {
    /// An address as text; nil when it is none.
    public init?(string: String) {
        var copy = string
        let address = copy.withUTF8 {
            unsafe InternetAddress(text: ByteView(UnsafeRawBufferPointer($0)))
        }
        guard let address else { return nil }
        self = address
    }
}
