/// Origins as browsers send them (RFC 6454 section 7): `scheme://host[:port]`, lower case.
enum Origin {
    /// What is wrong with a configured origin; nil when it is fine.
    static func problem(with text: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else {
            return "\"\(text)\" must begin with https:// or http://"
        }
        if text.utf8.count > Limits.originBytesMaximum { return "\"\(text)\" is too long" }
        let rest = text.dropFirst(scheme.count)
        if rest.contains("/") {
            return "\"\(text)\" has a path; an origin ends after the host or port"
        }
        if text != text.lowercased() {
            return "\"\(text)\" must be lower case, as browsers send it"
        }
        guard let (host, port) = split(rest), isHost(host) else {
            return "\"\(text)\" has no valid host"
        }
        return port.map { problem(withPort: $0, scheme, text) } ?? nil
    }

    /// Host and port; the colons inside the brackets of an IPv6 address are no separators.
    private static func split(_ rest: Substring) -> (Substring, Substring?)? {
        let searched = rest.lastIndex(of: "]").map { rest[$0...] } ?? rest
        guard let colon = searched.firstIndex(of: ":") else { return (rest, nil) }
        return (rest[..<colon], rest[rest.index(after: colon)...])
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") && host.hasSuffix("]") {
            return Characters.isInternetAddress(String(host.dropFirst().dropLast()))
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63
                    && label.utf8.allSatisfy {
                        Characters.isLowercase($0) || Characters.isDigit($0) || $0 == 45
                    }
            }
    }

    private static func problem(
        withPort port: Substring,
        _ scheme: String,
        _ text: String
    ) -> String? {
        let isDigits = !port.isEmpty && port.utf8.allSatisfy(Characters.isDigit)
        guard isDigits, let number = Int(port), (1...65_535).contains(number) else {
            return "\"\(text)\" has no valid port"
        }
        if number == (scheme == "https://" ? 443 : 80) {
            return "\"\(text)\" must leave out the scheme's own port, as browsers do"
        }
        return nil
    }
}
