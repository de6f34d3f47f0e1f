import Foundation
import Hummingbird
import Settings

/// Endpoints about what is wanted of figures.
struct GoalRoutes: Sendable {
    let archive: GoalArchive
    /// What figures are now, they say.
    let queries: QueryRoutes
    let reader: InsightReader

    static let list = Endpoint(
        .get,
        "/goals",
        .scope(.readStats),
        """
        Goals of a site with their figures: value in the running period, expected by now, and pace, \
        which is how much more than expected the value is, as a part of it. A sum is expected to grow \
        evenly with time, a mean or a rate to be at its target throughout.
        """
    ).taking(.site).answering(Schemas.list("goals", of: goal))

    static let set = Endpoint(
        .put,
        "/goals/{metric}/{period}",
        .scope(.writeViews),
        """
        Sets what is wanted of a metric in each day, week, month, quarter or year, in the unit of its \
        column: money in minor units of the site's currency, shares from 0 to 1.
        """
    ).taking(.site).takingBody([
        "type": "object", "required": ["target"], "additionalProperties": false,
        "properties": ["target": ["type": "number", "exclusiveMinimum": 0]],
    ]).answering(Schemas.open("metric", "period", "target"))

    static let remove = Endpoint(
        .delete,
        "/goals/{metric}/{period}",
        .scope(.writeViews),
        "Removes a goal."
    ).taking(.site).answering(Schemas.open("removed"))

    private static let goal = Schemas.open(
        "metric",
        "period",
        "target",
        "value",
        "expected",
        "pace",
        "unit"
    )

    func add(to api: ApiRouter) {
        api.add(Self.list) { call in try await list(call) }
        api.add(Self.set) { call in try await set(call) }
        api.add(Self.remove) { call in try await remove(call) }
    }

    // MARK: - Changing

    private func set(_ call: Call) async throws -> Response {
        let place = try GoalPlace(call, site: call.siteName(try call.site()))
        var fields = try FieldReader(await RequestParameters.body(of: call.request))
        let value = fields.value("target")
        try fields.end()
        let target = try Self.target(value, of: place.metric)
        guard try await archive.set(target, place, by: try call.caller()) else {
            throw ApiProblem(
                status: 409,
                code: "conflict",
                title: "Too many goals",
                detail: "A period has at most \(Limits.goalsPerPeriodMaximum) goals; remove one."
            )
        }
        return try JSONBody.response(
            JSONValue.object([
                "metric": .string(place.metric.name), "period": .string(place.period.rawValue),
                "target": .number(target),
            ])
        )
    }

    static func target(_ value: JSONValue?, of metric: QueryMetric) throws -> Double {
        let number: Double? =
            switch value {
            case .integer(let whole): Double(whole)
            case .number(let number): number
            default: nil
            }
        let most = metric.unit == .ratio ? 1 : Limits.goalTargetMaximum
        guard let number, number > 0, number <= most else {
            throw ApiProblem.invalidField(
                "/target",
                metric.unit == .ratio
                    ? "must be a share above 0 and at most 1" : "must be a number above 0"
            )
        }
        return number
    }

    private func remove(_ call: Call) async throws -> Response {
        let place = try GoalPlace(call, site: call.siteName(try call.site()))
        let isRemoved = try await archive.remove(place, by: try call.caller())
        return try JSONBody.response(["removed": isRemoved])
    }

    // MARK: - Telling

    private func list(_ call: Call) async throws -> Response {
        let site = queries.sites[try call.site()]
        let goals = try await archive.goals(of: site.name)
        var documents: [JSONValue] = []
        for period in Goal.Period.allCases {
            let own = goals.filter { $0.period == period }
            if !own.isEmpty { documents += try await told(own, period, site) }
        }
        return try JSONBody.response(JSONValue.object(["goals": .array(documents)]))
    }

    /// Goals of one period, whose figures are asked for in one question.
    private func told(
        _ goals: [Goal],
        _ period: Goal.Period,
        _ site: Site
    ) async throws -> [JSONValue] {
        let answer = try await queries.figures(
            [
                "site": .string(site.name), "range": period.range,
                "metrics": .words(goals.map(\.metric.name)),
            ],
            site
        )
        let values = answer.members?["totals"]?.members?["m"]?.elements ?? []
        let columns = answer.members?["columns"]?.elements ?? []
        let zone = InsightReader.zone(of: site)
        let range = try QueryRange(period.range, now: reader.now, zone: zone)
        return zip(goals, zip(values, columns)).map { goal, found in
            document(goal, found.0, found.1, answer.members?["meta"], range)
        }
    }

    private func document(
        _ goal: Goal,
        _ value: JSONValue,
        _ column: JSONValue,
        _ meta: JSONValue?,
        _ range: QueryRange
    ) -> JSONValue {
        let expected = goal.expected(at: reader.now, in: range)
        var members: [String: JSONValue] = [
            "metric": .string(goal.metric.name), "title": .string(goal.metric.title),
            "unit": .string(goal.metric.unit.rawValue), "period": .string(goal.period.rawValue),
            "target": .number(goal.target), "value": value, "expected": .rounded(expected),
            "pace": Self.pace(value, expected), "updated_at": .integer(goal.updatedAt),
            "updated_by": .string(goal.updatedBy),
        ]
        for name in ["currency", "minor_digits"] { members[name] = column.members?[name] }
        for name in ["as_of", "range"] { members[name] = meta?.members?[name] }
        return .object(members)
    }

    /// Null where nothing is expected yet, or nothing is known.
    static func pace(_ value: JSONValue, _ expected: Double) -> JSONValue {
        guard expected > 0 else { return .null }
        switch value {
        case .integer(let whole): return .rounded(Double(whole) / expected - 1)
        case .number(let number): return .rounded(number / expected - 1)
        default: return .null
        }
    }
}

/// Endpoints that look deeper than one figure.
struct InsightRoutes: Sendable {
    private let funnels: FunnelRoutes
    private let outlines: OutlineRoutes
    private let goals: GoalRoutes

    init(_ queries: QueryRoutes, writers: ArchiveReaders) {
        let reader = InsightReader(
            archive: queries.archive,
            freshness: queries.freshness,
            time: queries.time
        )
        funnels = FunnelRoutes(reader: reader, sites: queries.sites)
        outlines = OutlineRoutes(reader: reader, sites: queries.sites)
        goals = GoalRoutes(
            archive: GoalArchive(readers: queries.archive, writers: writers),
            queries: queries,
            reader: reader
        )
    }

    func add(to api: ApiRouter) {
        funnels.add(to: api)
        outlines.add(to: api)
        goals.add(to: api)
    }
}
