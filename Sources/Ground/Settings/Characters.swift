import Glibc

/// Which characters names in settings may have. All are compared byte by byte, so that no name has
/// two spellings.
enum Characters {
    static func isLowercase(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowercase(byte) || isDigit(byte) || (65...90).contains(byte)
    }

    /// Site names go into Redis keys and URLs.
    static func isSiteName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLowercase(first) || isDigit(first) else {
            return false
        }
        return text.utf8.allSatisfy { isLowercase($0) || isDigit($0) || $0 == 45 || $0 == 95 }
    }

    /// Public site keys: letters, digits, `_` and `-`.
    static func isSiteKey(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 45 || $0 == 95 }
    }

    /// URL parameters: letters, digits, `_`, `-` and `.`.
    static func isParameter(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }

    /// Names of conversions and of what they have: letters, digits, `_`, `-` and `.`.
    static func isEventName(_ text: String) -> Bool { isParameter(text) }

    /// Names of events in GA4: a letter, then letters, digits and `_`.
    static func isGoogleName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first), !isDigit(first) else {
            return false
        }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 95 }
    }

    /// Versions of Meta's Graph API, such as `v25.0`.
    static func isGraphVersion(_ text: String) -> Bool {
        let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        return text.hasPrefix("v") && parts.count == 2
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }
    }

    /// Names of variables of the environment.
    static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !isDigit(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 95 }
    }

    /// ASCII without control characters.
    static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { (32...126).contains($0) }
    }

    /// Braces are not among them: Redis Cluster would read them as a hash tag.
    static func isKeyPrefix(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || [45, 46, 58, 95].contains(byte)
    }

    /// An IPv4 or IPv6 address, as the C library reads it.
    static func isInternetAddress(_ text: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return unsafe inet_pton(AF_INET, text, &four) == 1
            || inet_pton(AF_INET6, text, &six) == 1
    }

    /// A zone that this machine knows, or one that is well spelled on a machine without zones.
    static func isTimeZone(_ text: String) -> Bool {
        let isSpelled = text.utf8.allSatisfy {
            isAlphanumeric($0) || [43, 45, 47, 95].contains($0)
        }
        guard isSpelled, !text.isEmpty, !text.hasPrefix("/") else { return false }
        let zones = "/usr/share/zoneinfo"
        return unsafe access(zones, F_OK) != 0 || access("\(zones)/\(text)", R_OK) == 0
    }
}
