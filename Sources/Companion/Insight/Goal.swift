import Foundation
import Settings

/// What is wanted of a figure in each period of a kind.
struct Goal: Sendable {
    /// A span of the site's days; named as in a range's `preset`, but for the day.
    enum Period: String, CaseIterable, Sendable {
        case day, week, month, quarter, year

        var range: JSONValue { ["preset": .string(self == .day ? "today" : rawValue)] }
    }

    let metric: QueryMetric
    let period: Period
    /// In the unit of the figure's column.
    let target: Double
    /// Epoch milliseconds.
    let updatedAt: Int64
    let updatedBy: String

    /// What is to be reached by `now` when a sum grows evenly; a mean or a rate is to be held throughout.
    func expected(at now: Date, in range: QueryRange) -> Double {
        guard metric.isSum else { return target }
        let length = range.to.timeIntervalSince(range.from)
        let past = min(max(0, now.timeIntervalSince(range.from)), length)
        return length > 0 ? target * past / length : target
    }
}

/// Goals in PostgreSQL. Literals only; values travel as parameters.
struct GoalArchive: Sendable {
    let readers: ArchiveReaders
    /// The one thread that may write.
    let writers: ArchiveReaders

    func goals(of site: String) async throws -> [Goal] {
        try await readers.ask([ArchiveQuery(Self.list, [site])])[0].compactMap { row in
            guard let metric = row[0].flatMap({ QueryMetric.named[$0] }),
                let period = row[1].flatMap(Goal.Period.init(rawValue:)),
                let target = row[2].flatMap({ Double($0) })
            else { return nil }
            return Goal(
                metric: metric,
                period: period,
                target: target,
                updatedAt: row.integer(3),
                updatedBy: row[4] ?? ""
            )
        }
    }

    /// Sets a goal and notes who did, both or neither. False when the period has as many as it may.
    func set(_ target: Double, _ place: GoalPlace, by grant: Grant) async throws -> Bool {
        let values = place.parameters + ["\(target)", "\(Limits.goalsPerPeriodMaximum)"]
        return try await change(Self.put, values, place, by: grant)
    }

    /// Whether there was such a goal.
    func remove(_ place: GoalPlace, by grant: Grant) async throws -> Bool {
        try await change(Self.remove, place.parameters, place, by: grant)
    }

    private func change(
        _ statement: StaticString,
        _ values: [String],
        _ place: GoalPlace,
        by grant: Grant
    ) async throws -> Bool {
        let query = ArchiveQuery(statement, [grant.id, grant.name, place.subject] + values)
        return try await !writers.ask([query])[0].isEmpty
    }

    private static let list: StaticString = """
        SELECT metric, period, target, (extract(epoch FROM updated_at) * 1000)::bigint, updated_by
        FROM heliograph.goal WHERE site = $1 ORDER BY period, metric LIMIT 1000
        """

    private static let put: StaticString = """
        WITH made AS (
            INSERT INTO heliograph.goal (site, metric, period, target, updated_by)
            SELECT $4, $5, $6, $7::numeric, $2
            WHERE (SELECT count(*) FROM heliograph.goal
                WHERE site = $4 AND period = $6 AND metric <> $5) < $8::bigint
            ON CONFLICT (site, metric, period) DO UPDATE
                SET target = excluded.target, updated_at = now(), updated_by = excluded.updated_by
            RETURNING metric)
        INSERT INTO heliograph.audit (actor, actor_name, action, subject)
        SELECT $1, $2, 'goal-set', $3 FROM made RETURNING subject
        """

    private static let remove: StaticString = """
        WITH gone AS (
            DELETE FROM heliograph.goal WHERE site = $4 AND metric = $5 AND period = $6
            RETURNING metric)
        INSERT INTO heliograph.audit (actor, actor_name, action, subject)
        SELECT $1, $2, 'goal-removed', $3 FROM gone RETURNING subject
        """
}

/// What a goal is of.
struct GoalPlace: Sendable {
    let site: String
    let metric: QueryMetric
    let period: Goal.Period

    /// The one that a path names.
    init(_ call: Call, site: String) throws {
        guard let metric = QueryMetric.named[call.path("metric")] else {
            throw ApiProblem.notFound("No metric is called so; see /api/v1/schema.")
        }
        guard let period = Goal.Period(rawValue: call.path("period")) else {
            let known = Goal.Period.allCases.map(\.rawValue).joined(separator: ", ")
            throw ApiProblem.notFound("Goals are for a \(known).")
        }
        (self.site, self.metric, self.period) = (site, metric, period)
    }

    fileprivate var parameters: [String] { [site, metric.name, period.rawValue] }
    /// As the audit log has it.
    fileprivate var subject: String { parameters.joined(separator: " ") }
}
