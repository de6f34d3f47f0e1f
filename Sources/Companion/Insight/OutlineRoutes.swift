import Foundation
import Hummingbird
import Settings

/// Endpoints about what people do on a page: its sections, what they click in vain, its forms.
struct OutlineRoutes: Sendable {
    let reader: InsightReader
    let sites: [Site]

    static let heatmap = Endpoint(
        .get,
        "/sites/{site}/heatmap",
        .scope(.readStats),
        """
        Attention to one page's sections in their order: who saw them, for how long, clicks, returns. \
        Without page, the one that is looked at most. Rows tell no section of a click in vain, so that \
        is counted for the page and its elements.
        """
    ).taking(page, device, last, preset, from, to, includesToday)
        .answering(Schemas.open("page", "pages", "sections", "friction", "elements", "meta"))

    static let forms = Endpoint(
        .get,
        "/sites/{site}/forms",
        .scope(.readStats),
        """
        Forms, field by field in the order in which they are filled in: how often reached, errors, \
        returns, and where those left who did not submit it.
        """
    ).taking(device, last, preset, from, to, includesToday)
        .answering(Schemas.open("forms", "meta"))

    static let friction = Endpoint(
        .get,
        "/sites/{site}/friction",
        .scope(.readStats),
        "Elements of pages with rage, dead and error clicks, the most clicked first."
    ).taking(device, last, preset, from, to, includesToday)
        .answering(Schemas.open("items", "meta"))

    private static let page = Endpoint.Parameter(
        name: "page",
        about: "Address of the page without host, query and fragment."
    )
    private static let device = Endpoint.Parameter(
        name: "device",
        about: "Only page views with this kind of device, such as phone."
    )
    private static let last = Endpoint.Parameter(
        name: "last",
        about: "A range as POST /query takes it, such as 28d; which is also the default."
    )
    private static let preset = Endpoint.Parameter(name: "preset", about: "A range, such as month.")
    private static let from = Endpoint.Parameter(name: "from", about: "Beginning of a range.")
    private static let to = Endpoint.Parameter(name: "to", about: "End of a range, not in it.")
    private static let includesToday = Endpoint.Parameter(
        name: "include_today",
        about: "With last: whether today is its last day.",
        schema: ["type": "boolean"]
    )

    func add(to api: ApiRouter) {
        api.add(Self.heatmap) { call in try await heatmap(call) }
        api.add(Self.forms) { call in try await forms(call) }
        api.add(Self.friction) { call in try await friction(call) }
    }

    // MARK: - Asking

    private struct Question {
        let statements: OutlineStatements
        let range: QueryRange
        let zone: TimeZone
    }

    private func question(_ call: Call) throws -> Question {
        let site = sites[try call.siteOfPath()]
        let zone = InsightReader.zone(of: site)
        let range = try Self.range(call, reader.now, zone)
        let statements = OutlineStatements(
            site: site.name,
            range: range,
            device: try Self.name(call, "device")
        )
        return Question(statements: statements, range: range, zone: zone)
    }

    /// A text that PostgreSQL takes as a parameter.
    private static func name(_ call: Call, _ name: String) throws -> String? {
        let text = try call.text(name)
        let bytes = text?.utf8.count ?? 1
        guard (1...Limits.queryFilterValueBytesMaximum).contains(bytes),
            text?.contains("\0") != true
        else { throw ApiProblem.invalidParameter(name, "must be a text that is not too long") }
        return text
    }

    /// The range of the parameters, which are called as in the body of `POST /query`.
    private static func range(_ call: Call, _ now: Date, _ zone: TimeZone) throws -> QueryRange {
        var members: [String: JSONValue] = [:]
        for name in ["last", "preset", "from", "to"] {
            if let text = try call.text(name) { members[name] = .string(text) }
        }
        if members.isEmpty { members = ["last": "28d", "include_today": true] }
        switch try call.text("include_today") {
        case nil: break
        case "true"?: members["include_today"] = true
        case "false"?: members["include_today"] = false
        default: throw ApiProblem.invalidParameter("include_today", "must be true or false")
        }
        return try QueryRange(.object(members), now: now, zone: zone)
    }

    // MARK: - Answering

    private func heatmap(_ call: Call) async throws -> Response {
        let question = try question(call)
        let (page, statements) = (try Self.name(call, "page"), question.statements)
        let answer = try await reader.ask(
            [
                statements.pages(), statements.page(page), statements.sections(page),
                statements.friction(.one(page)),
            ],
            question.range,
            question.zone
        )
        let shown = page ?? answer.rows[1].first?[0]
        return try JSONBody.response(
            JSONValue.object(
                Self.page(answer.rows[1].first, shown).merging([
                    "pages": .array(
                        answer.rows[0].map { ["page": $0.text(0), "page_views": $0.whole(1)] }
                    ),
                    "sections": .array(Self.sections(answer.rows[2])),
                    "elements": .array(answer.rows[3].map(Self.element)),
                    "meta": .object(answer.worth.members()),
                ]) { $1 }
            )
        )
    }

    private static func page(_ row: ArchiveRow?, _ page: String?) -> [String: JSONValue] {
        guard let row else { return [:] }
        return [
            "page": page.map { .string($0) } ?? .null, "visitors": row.whole(1),
            "page_views": row.whole(2), "observed_page_views": row.whole(3),
            "clicks": row.number(4),
            "friction": [
                "rage": row.number(5), "dead": row.number(6), "error": row.number(7),
            ],
        ]
    }

    private static func sections(_ rows: [ArchiveRow]) -> [JSONValue] {
        let all = rows.compactMap { $0[6].flatMap { Double($0) } }.reduce(0, +)
        return rows.map { row in
            let dwell = row[6].flatMap { Double($0) } ?? 0
            return [
                "place": row.number(0), "category": row.text(1), "words": row.number(2),
                "visitors": row.whole(3), "page_views": row.whole(4),
                "visible_percent": row.number(5), "dwell_ms": row.number(6),
                "dwell_share": all > 0 ? .rounded(dwell / all) : .null,
                "dwell_median_ms": row.number(7), "clicks": row.number(8),
                "returns": row.number(9),
            ]
        }
    }

    private static func element(_ row: ArchiveRow) -> JSONValue {
        [
            "page": row.text(0), "element": row.text(1), "tag": row.text(2), "rage": row.whole(3),
            "dead": row.whole(4), "error": row.whole(5), "visitors": row.whole(6),
        ]
    }

    private func friction(_ call: Call) async throws -> Response {
        let question = try question(call)
        let answer = try await reader.ask(
            [question.statements.friction(.every)],
            question.range,
            question.zone
        )
        return try JSONBody.response(
            JSONValue.object([
                "items": .array(answer.rows[0].map(Self.element)),
                "meta": .object(answer.worth.members()),
            ])
        )
    }

    private func forms(_ call: Call) async throws -> Response {
        let question = try question(call)
        let answer = try await reader.ask(
            [question.statements.forms(), question.statements.fields()],
            question.range,
            question.zone
        )
        let fields = Dictionary(grouping: answer.rows[1]) { $0[0] }
        let forms = answer.rows[0].map { Self.form($0, fields[$0[0]] ?? []) }
        return try JSONBody.response(
            JSONValue.object(["forms": .array(forms), "meta": .object(answer.worth.members())])
        )
    }

    private static func form(_ row: ArchiveRow, _ fields: [ArchiveRow]) -> JSONValue {
        let (begun, submitted) = (row.integer(2), row.integer(3))
        return [
            "form": row.text(0), "visitors": row.whole(1), "begun": .integer(begun),
            "submitted": .integer(submitted), "submit_rate": .share(submitted, of: begun),
            "fields": .array(fields.map { field($0, begun) }),
        ]
    }

    private static func field(_ row: ArchiveRow, _ begun: Int64) -> JSONValue {
        [
            "field": row.text(1), "reached": row.whole(2),
            "reached_rate": .share(row.integer(2), of: begun), "errors": row.number(3),
            "with_errors": row.whole(4), "returns": row.number(5), "corrections": row.number(6),
            "time_avg_ms": row.number(7), "left_here": row.whole(8),
        ]
    }
}
