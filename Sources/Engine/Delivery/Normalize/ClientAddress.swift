import Settings

/// What is told of the visitor's machine: its address and its browser, never hashed.
public enum ClientAddress {
    /// The address without port, brackets and spaces; nil when it is none or not of the internet.
    ///
    /// The spelling stays: platforms read all of them.
    public static func normalized(_ text: String) -> String? {
        let bare = bare(TextForms.trimmed(text))
        guard let address = InternetAddress(string: bare), !AddressRules.isLocal(address) else {
            return nil
        }
        return bare.lowercased().hasPrefix("::ffff:") && bare.contains(".")
            ? String(bare.dropFirst("::ffff:".count)) : bare
    }

    private static func bare(_ text: String) -> String {
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<close])
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let hasPort = parts.count == 2 && TextForms.isDigits(parts[1])
        return hasPort ? String(parts[0]) : text
    }

    /// Whether the address belongs to somebody. Those for documentation do not, though they are
    /// well written.
    static func isPublic(_ text: String) -> Bool {
        InternetAddress(string: text).map(AddressRules.isPublic) ?? false
    }

    /// Whether a host is an address.
    static func isAddress(_ host: String) -> Bool { InternetAddress(string: host) != nil }

    /// The user agent as it came; nil when there is none that a header could hold.
    public static func userAgent(_ text: String) -> String? {
        let trimmed = TextForms.trimmed(text)
        let isPlain = trimmed.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control
        }
        return trimmed.isEmpty || !isPlain ? nil : trimmed
    }
}
