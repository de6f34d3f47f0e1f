import Foundation
import Hummingbird
import Settings
import Synchronization
import Units

/// Endpoints about figures: the general question, and what can be asked.
struct QueryRoutes: Sendable {
    let archive: ArchiveReaders
    let sites: [Site]
    let time: TimeSource
    let freshness: QueryFreshness
    private let flights = QueryFlights()

    init(
        archive: ArchiveReaders,
        journal: (any JournalSearch)?,
        sites: [Site],
        time: TimeSource
    ) {
        (self.archive, self.sites, self.time) = (archive, sites, time)
        freshness = QueryFreshness(journal: journal, time: time)
    }

    static let query = Endpoint(
        .post,
        "/query",
        .scope(.readStats),
        "Figures by dimension and time, compared with an earlier range like for like."
    ).takingBody([
        "type": "object", "required": ["site", "metrics", "range"],
        "additionalProperties": false,
        "properties": [
            "site": ["type": "string"],
            "metrics": [
                "type": "array", "minItems": 1, "maxItems": 10,
                "items": ["enum": .words(QueryMetric.all.map(\.name))],
            ],
            "dimensions": [
                "type": "array", "maxItems": 3,
                "items": ["enum": .words(QueryDimension.all.map(\.name))],
            ],
            "grain": ["enum": .words(QueryRange.Grain.allCases.map(\.rawValue))],
            "range": ["type": "object"], "compare": ["type": "object"],
            "filter": ["type": "object"], "order": ["type": "array"],
            "attribution": ["type": "object"],
            "limit": ["type": "integer", "minimum": 1, "maximum": 1000],
        ],
    ]).answering(Schemas.open("columns", "rows", "totals", "meta")).orAnswering(
        TableFormat.csv.mediaType,
        TableFormat.ndjson.mediaType
    )

    static let schema = Endpoint(
        .get,
        "/schema",
        .scope(.readStats),
        "The metrics and dimensions that there are, what they mean, and which fit together."
    ).answering(Schemas.open("metrics", "dimensions", "grains"))

    func add(to api: ApiRouter) {
        api.add(Self.query) { call in try await answer(call) }
        api.add(Self.schema) { _ in try JSONBody.response(Self.dictionary) }
    }

    private func answer(_ call: Call) async throws -> Response {
        let body = try await RequestParameters.body(of: call.request)
        let site = sites[try call.site(named: body)]
        let accept = call.request.headers[values: .accept].joined(separator: ",")
        guard let format = TableFormat(accept: accept) else {
            let document = try await flights.share(body) { try await figures(body, site) }
            return try JSONBody.response(document)
        }
        let document = try await flights.share([body, "file"]) {
            try await figures(body, site, isFile: true)
        }
        return QueryFile(document, format).response(name: "\(site.name)-figures")
    }

    /// The answer to the question `body` about a site that the caller may see.
    func figures(_ body: JSONValue, _ site: Site, isFile: Bool = false) async throws -> JSONValue {
        let begun = time.monotonicNanoseconds()
        let now = Date(timeIntervalSince1970: Double(time.epochMilliseconds()) / 1_000)
        let zone = TimeZone(identifier: site.timeZone) ?? .gmt
        let plan = try QueryPlan(
            body,
            site: site.name,
            zone: zone,
            now: now,
            isFile: isFile
        )
        let ranges = [plan.range] + (plan.comparison.map { [$0.range] } ?? [])
        let found = try await QueryAsking(plan, ranges, archive).answers(freshness)
        let answer = QueryAnswer(
            plan: plan,
            now: found.tables[0],
            earlier: found.tables.count > 1 ? found.tables[1] : nil,
            money: QueryMoney(site: site.currency, metrics: plan.metrics, sums: found.sums),
            sources: found.sources,
            asOf: found.asOf,
            askedAt: now,
            elapsedMilliseconds: (time.monotonicNanoseconds() - begun) / 1_000_000
        )
        return try answer.document()
    }

    private static var dictionary: JSONValue {
        [
            "metrics": .array(
                QueryMetric.all.map { metric in
                    [
                        "name": .string(metric.name), "title": .string(metric.title),
                        "definition": .string(metric.about), "unit": .string(metric.unit.rawValue),
                        "base": .words(metric.bases.map(\.rawValue).sorted()),
                        "dimensions": .words(
                            QueryDimension.fitting(metric.bases).map(\.name)
                        ),
                    ]
                }
            ),
            "dimensions": .array(
                QueryDimension.all.map {
                    ["name": .string($0.name), "title": .string($0.title), "type": "string"]
                }
            ),
            "grains": .words(QueryRange.Grain.allCases.map(\.rawValue)),
            "attribution_models": .words(QueryPlan.attributionModels),
            "operations": .words(QueryFilter.Operation.allCases.map(\.rawValue)),
        ]
    }
}

/// Lets everybody who asks the same at the same time wait for one answer. Any task may ask.
final class QueryFlights: Sendable {
    private let flights = Mutex<[String: Task<JSONValue, any Error>]>([:])

    /// The answer to `question`, made by `body` unless somebody is making it already.
    func share(
        _ question: JSONValue,
        _ body: @escaping @Sendable () async throws -> JSONValue
    ) async throws -> JSONValue {
        let name = String(buffer: try JSONBody.buffer(question))
        let task = flights.withLock { flights in
            if let flight = flights[name] { return flight }
            let flight = Task { [self] in
                defer { self.flights.withLock { $0[name] = nil } }
                return try await body()
            }
            flights[name] = flight
            return flight
        }
        return try await task.value
    }
}
