import Foundation
import Hummingbird
import Settings

/// The endpoint about how far visitors get.
struct FunnelRoutes: Sendable {
    let reader: InsightReader
    let sites: [Site]

    static let funnel = Endpoint(
        .post,
        "/funnel",
        .scope(.readStats),
        """
        How many visitors get from step to step. Who does the first step within the range counts, and \
        got as far as any chain of steps leads them within the window, also behind the range.
        """
    ).takingBody([
        "type": "object", "required": ["site", "steps", "range"], "additionalProperties": false,
        "properties": [
            "site": ["type": "string"],
            "steps": [
                "type": "array", "minItems": 1,
                "maxItems": .integer(Int64(Limits.funnelStepsMaximum)),
                "items": [
                    "type": "array", "minItems": 1,
                    "maxItems": .integer(Int64(Limits.funnelAlternativesMaximum)),
                    "items": mark,
                ],
            ],
            "order": ["enum": .words(FunnelPlan.Order.allCases.map(\.rawValue))],
            "window": ["type": "string", "pattern": "^[0-9]{1,6}[mhd]$"],
            "range": ["type": "object"], "filter": ["type": "object"],
        ],
    ]).answering(Schemas.open("steps", "meta"))

    private static let mark: JSONValue = [
        "type": "object", "additionalProperties": false,
        "properties": [
            "page": [
                "type": "string",
                "description": "Address without host and query; * stands for anything.",
            ],
            "event": ["type": "string"], "conversion": ["type": "string"],
            "form": ["type": "string"], "phase": ["enum": ["begun", "submitted"]],
        ],
    ]

    func add(to api: ApiRouter) {
        api.add(Self.funnel) { call in try await answer(call) }
    }

    private func answer(_ call: Call) async throws -> Response {
        let body = try await RequestParameters.body(of: call.request)
        let site = sites[try call.site(named: body)]
        let zone = InsightReader.zone(of: site)
        let plan = try FunnelPlan(body, site: site.name, zone: zone, now: reader.now)
        let statement = FunnelStatement(plan: plan).query
        let answer = try await reader.ask([statement], plan.range, zone)
        var meta = answer.worth.members()
        meta["order"] = .string(plan.order.rawValue)
        meta["window_s"] = .integer(Int64(plan.windowSeconds))
        return try JSONBody.response(
            JSONValue.object([
                "steps": .array(Self.steps(plan, answer.rows[0].first ?? [])),
                "meta": .object(meta),
            ])
        )
    }

    /// From a row with three columns for each step: visitors, and two medians.
    static func steps(_ plan: FunnelPlan, _ row: ArchiveRow) -> [JSONValue] {
        guard row.count == plan.steps.count * 3 else { return [] }
        let first = row.integer(0)
        return plan.steps.enumerated().map { index, marks in
            let visitors = row.integer(index * 3)
            let before = index == 0 ? 0 : row.integer(index * 3 - 3)
            return [
                "of": .array(marks.map(\.json)), "visitors": .integer(visitors),
                "step_rate": .share(visitors, of: before),
                "overall_rate": .share(visitors, of: first),
                "median_ms": index == 0 ? .null : row.number(index * 3 + 1),
                "median_total_ms": index == 0 ? .null : row.number(index * 3 + 2),
            ]
        }
    }
}
