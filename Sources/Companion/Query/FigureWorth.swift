import Foundation

/// What figures of a range are worth: of what they are, up to when, and how long finding them took.
struct FigureWorth: Sendable {
    let zone: TimeZone
    let range: QueryRange
    let sources: [String]
    /// Up to when everything that was received is in the rows; nil where nobody knows.
    let asOf: Date?
    /// When it was asked, and how long answering has taken so far.
    let askedAt: Date
    let elapsedMilliseconds: Int64

    func members(_ warnings: [String] = []) -> [String: JSONValue] {
        let doubt = asOf == nil ? ["how far the rows reach is not known now"] : []
        var members: [String: JSONValue] = [
            "as_of": asOf.map { .string(text($0)) } ?? .null,
            // Every figure is counted, none estimated.
            "approximate": [:],
            "range": span(range), "time_zone": .string(zone.identifier),
            "sources": .words(sources), "warnings": .words(warnings + doubt),
            "elapsed_ms": .integer(elapsedMilliseconds),
        ]
        if let asOf {
            let lag = askedAt.timeIntervalSince(asOf) * 1_000
            members["lag_ms"] = .integer(Int64(max(0, lag)))
            // An event is moved to a time not longer ago than this, so earlier days no longer change.
            members["final_before"] = .string(text(asOf.addingTimeInterval(-7 * 86_400)))
        }
        return members
    }

    func span(_ range: QueryRange) -> JSONValue {
        ["from": .string(text(range.from)), "to": .string(text(range.to))]
    }

    /// With the site's offset of that moment.
    func text(_ date: Date) -> String {
        let format = Date.ISO8601FormatStyle(timeZone: zone).year().month().day()
            .dateSeparator(.dash).time(includingFractionalSeconds: false).timeSeparator(.colon)
            .timeZone(separator: .colon)
        return date.formatted(format)
    }
}
