import Foundation
import Scoring

/// Where a score is going, over one window.
struct TrendDocument: Encodable, Sendable, Equatable {
    /// Points that it rises by in an hour, on a straight line.
    let pointsPerHour: Double
    /// Where the line begins, epoch milliseconds.
    let since: Int64

    enum CodingKeys: String, CodingKey {
        case since
        case pointsPerHour = "points_per_hour"
    }
}

/// A point of a visitor's score history.
struct HistoryDocument: Encodable, Sendable {
    /// A part of a score or of a profile.
    struct Part: Codable, Sendable {
        let name: String
        let adds: Double
    }

    let at: Int64
    let score: Double
    let band: String
    let profile: String
    let confidence: Double
    let likelihood: Double
    let reason: String
    let model: String?
    /// The largest parts of the score; nil for points from before they were kept.
    let terms: [Part]?
    /// The profile before, when it changed here.
    let profileBefore: String?
    /// The largest parts of the new profile, or of the one that was dropped.
    let profileTerms: [Part]?
    /// Which browser of the person it is about.
    let visitor: String?

    enum CodingKeys: String, CodingKey {
        case at, score, band, profile, confidence, likelihood, reason, model, terms, visitor
        case profileBefore = "profile_before"
        case profileTerms = "profile_terms"
    }

    /// A row of `HistoryReader`'s page; nil when it is not one.
    init?(_ row: ArchiveRow) {
        guard row.count == 12, let at = row[0].flatMap(Int64.init),
            let score = row[1].flatMap(Double.init), let confidence = row[2].flatMap(Double.init),
            let likelihood = row[3].flatMap(Double.init), let band = row[4], let profile = row[5],
            let reason = row[6]
        else { return nil }
        (self.at, self.score) = (at, score)
        (self.confidence, self.likelihood) = (confidence, likelihood)
        (self.band, self.profile, self.reason, model) = (band, profile, reason, row[7])
        (terms, profileBefore, profileTerms) = (Self.parts(row[8]), row[9], Self.parts(row[10]))
        visitor = row[11]
    }

    private static func parts(_ json: String?) -> [Part]? {
        json.flatMap { try? JSONDecoder().decode([Part].self, from: Data($0.utf8)) }
    }
}

/// Reads visitors' score histories from PostgreSQL, and says where scores are going.
struct HistoryReader: Sendable {
    let archive: ArchiveReaders
    let reading: ScoreReading

    /// The newest `limit` points of a visitor and of the other browsers of its person, the oldest of them first.
    func history(_ visitor: String, site: String, limit: Int) async throws -> [HistoryDocument] {
        let query = ArchiveQuery(Self.newest, [site, visitor, "\(limit)"])
        return try await archive.ask([query])[0].compactMap(HistoryDocument.init).reversed()
    }

    /// The trend of each window that ends at `now`.
    func trend(
        _ visitor: String,
        site: String,
        state: PackedState,
        now: Int64
    ) async throws -> [String: TrendDocument] {
        let from = now - ScoreTrend.Window.week.rawValue
        let query = ArchiveQuery(Self.points, [site, visitor, "\(from)"])
        let points = try await archive.ask([query])[0].compactMap { row -> ScoreTrend.Point? in
            guard let at = row[0].flatMap(Int64.init), let score = row[1].flatMap(Double.init)
            else { return nil }
            return ScoreTrend.Point(time: at, score: score)
        }
        return ScoreTrend.Window.allCases.reduce(into: [:]) { table, window in
            let trend = ScoreTrend(window, points, state, at: now, reading.model)
            table[window.name] = trend.map {
                TrendDocument(pointsPerHour: $0.pointsPerHour, since: $0.since)
            }
        }
    }

    private static let newest: StaticString = """
        SELECT (extract(epoch FROM at) * 1000)::bigint, score, confidence, likelihood, band, profile,
            reason, model, terms, profile_before, profile_terms, visitor_id
        FROM heliograph.score_history WHERE site = $1 AND visitor_id IN (
            SELECT $2 UNION SELECT visitor_id FROM heliograph.members_of($1, $2))
        ORDER BY at DESC, journal_offset DESC LIMIT $3::bigint
        """

    /// The points of the week, and the one before it.
    private static let points: StaticString = """
        SELECT (extract(epoch FROM at) * 1000)::bigint, score FROM (
            (SELECT at, journal_offset, score FROM heliograph.score_history
            WHERE site = $1 AND visitor_id = $2 AND at < to_timestamp($3::bigint / 1000.0)
            ORDER BY at DESC, journal_offset DESC LIMIT 1)
            UNION ALL
            (SELECT at, journal_offset, score FROM heliograph.score_history
            WHERE site = $1 AND visitor_id = $2 AND at >= to_timestamp($3::bigint / 1000.0)
            ORDER BY at DESC, journal_offset DESC LIMIT 2000)) AS point
        ORDER BY at, journal_offset
        """
}
