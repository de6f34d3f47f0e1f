import Foundation
import Settings
import Units

/// Asks PostgreSQL about one range of one site's rows, and tells what the answer is worth.
struct InsightReader: Sendable {
    struct Answer {
        /// Rows of each question, in their order.
        let rows: [[ArchiveRow]]
        let worth: FigureWorth
    }

    let archive: ArchiveReaders
    let freshness: QueryFreshness
    let time: TimeSource

    var now: Date { Date(timeIntervalSince1970: Double(time.epochMilliseconds()) / 1_000) }

    static func zone(of site: Site) -> TimeZone { TimeZone(identifier: site.timeZone) ?? .gmt }

    /// Asks all of it in one transaction. These questions read whole days of events, so the planner may
    /// read tables from their beginning to their end.
    func ask(
        _ statements: [QueryStatement],
        _ range: QueryRange,
        _ zone: TimeZone
    ) async throws -> Answer {
        let begun = time.monotonicNanoseconds()
        let askedAt = now
        // Of days that were never analysed the planner expects a handful of rows and would look each
        // page view up by itself.
        let plans = [
            ArchiveQuery("SET LOCAL enable_seqscan = on"),
            ArchiveQuery("SET LOCAL enable_nestloop = off"),
        ]
        let answers = try await archive.ask(
            [freshness.question] + plans + statements.map(ArchiveQuery.init)
        )
        let worth = FigureWorth(
            zone: zone,
            range: range,
            sources: ["events"],
            asOf: try await freshness.asOf(answers[0], archive),
            askedAt: askedAt,
            elapsedMilliseconds: (time.monotonicNanoseconds() - begun) / 1_000_000
        )
        return Answer(rows: Array(answers.dropFirst(1 + plans.count)), worth: worth)
    }
}

/// What a row of an answer holds, as JSON.
extension ArchiveRow {
    func text(_ index: Int) -> JSONValue { self[index].map { .string($0) } ?? .null }

    func integer(_ index: Int) -> Int64 { self[index].flatMap { Int64($0) } ?? 0 }

    func whole(_ index: Int) -> JSONValue { .integer(integer(index)) }

    /// A number that need not be whole, to a millionth; null where there is none.
    func number(_ index: Int) -> JSONValue {
        guard let value = self[index].flatMap({ Double($0) }), value.isFinite else { return .null }
        return .rounded(value)
    }
}

extension JSONValue {
    /// To a millionth.
    static func rounded(_ value: Double) -> JSONValue { .number((value * 1e6).rounded() / 1e6) }

    /// A part of a whole; null where there is no whole.
    static func share(_ part: Int64, of whole: Int64) -> JSONValue {
        whole > 0 ? rounded(Double(part) / Double(whole)) : .null
    }
}

extension QueryStatement {
    /// Rows of `s` that count and may be of the range, whichever day they were received on: at most a
    /// week after they happened.
    mutating func addCounted() {
        add("s.site = $1 AND NOT s.bot AND s.received_at >= $2::timestamptz - interval '1 day'")
        add(" AND s.received_at < $3::timestamptz + interval '8 days'")
    }

    mutating func addWithinRange() {
        add(" AND s.occurred_at >= $2::timestamptz AND s.occurred_at < $3::timestamptz")
    }
}
