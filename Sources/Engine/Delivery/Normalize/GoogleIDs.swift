/// GA4's browser ids: the cookies `_ga` and `_ga_<stream>` (conversions.md 2.2, 2.6).
public enum GoogleID {
    /// The client id `RAND.TIME` of a cookie `_ga` such as `GA1.1.RAND.TIME`; nil when it is none. A
    /// bare client id is taken as it is.
    public static func client(_ text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.suffix(2)
        let hasHead =
            parts.count == 4 && parts[0].hasPrefix("GA")
            && TextForms.isDigits(parts[0].dropFirst(2))
            && parts[1].utf8.allSatisfy { (48...57).contains($0) || $0 == 45 }
        guard parts.count == 2 || hasHead,
            numbers.allSatisfy({ isPositive($0) && $0.utf8.count <= 20 })
        else { return nil }
        return numbers.joined(separator: ".")
    }

    private static func isPositive(_ text: Substring) -> Bool {
        TextForms.isDigits(text) && text.contains { $0 != "0" }
    }

    /// When the session of a cookie `_ga_<stream>` began, epoch seconds, which is also its id; nil when
    /// the cookie is none. `GS1.1.<id>.<n>…` and `GS2.1.s<id>$o<n>$…` are read.
    public static func session(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, TextForms.isDigits(parts[1]) else { return nil }
        switch parts[0] {
        case "GS1": return seconds(parts[2].prefix { $0 != "." })
        case "GS2":
            let field = parts[2].split(separator: "$").first { $0.hasPrefix("s") }
            return field.flatMap { seconds($0.dropFirst()) }
        default: return nil
        }
    }

    /// Ten digits: milliseconds would have thirteen.
    private static func seconds(_ text: Substring) -> Int64? {
        text.utf8.count == 10 && TextForms.isDigits(text) ? Int64(text) : nil
    }

    /// The name of a stream's cookie behind `_ga_`: its measurement id without `G-`.
    public static func stream(_ measurementID: String) -> String {
        measurementID.hasPrefix("G-") ? String(measurementID.dropFirst(2)) : measurementID
    }
}
