import Foundation
import Settings
import Telemetry

/// A question about figures, understood and checked.
struct QueryPlan: Sendable {
    /// What is compared with.
    struct Comparison: Sendable {
        let range: QueryRange
        let align: String
    }

    let site: String
    let zone: TimeZone
    let metrics: [QueryMetric]
    let dimensions: [QueryDimension]
    let grain: QueryRange.Grain?
    /// What is counted: with a comparison of elapsed parts, the part that is over.
    let range: QueryRange
    let comparison: Comparison?
    let filter: QueryFilter?
    /// Index of the metric that groups are ordered by.
    let orderMetric: Int
    let isDescending: Bool
    let limit: Int
    /// How conversions are shared among touches.
    let attributionModel: String

    static let limitDefault = 100
    /// As the archive shares them out.
    static let attributionModels = [
        "last_non_direct", "first", "last", "linear", "time_decay", "position_based",
    ]

    /// The question in `body`, whose site has been checked. A file has all the groups there are unless the
    /// body says how many.
    init(
        _ body: JSONValue,
        site: String,
        zone: TimeZone,
        now: Date,
        isFile: Bool = false
    ) throws {
        var fields = try FieldReader(body)
        _ = fields.value("site")
        (self.site, self.zone) = (site, zone)
        metrics = try Self.metrics(try fields.elements("metrics") ?? [])
        dimensions = try Self.dimensions(try fields.elements("dimensions") ?? [])
        let word = try fields.text("grain")
        grain = word.flatMap(QueryRange.Grain.init)
        if word != nil && grain == nil {
            let known = QueryRange.Grain.allCases.map(\.rawValue)
            throw ApiProblem.field("invalid-range", "/grain", "is not known", known)
        }
        guard let range = fields.value("range") else {
            throw ApiProblem.invalidField("/range", "is missing")
        }
        let asked = try QueryRange(range, now: now, zone: zone)
        let compare = try fields.value("compare").map {
            try Self.compare($0, asked, now, QueryRange.calendar(zone))
        }
        (self.range, comparison) = (compare?.0 ?? asked, compare?.1)
        filter = try fields.value("filter").map { try QueryFilter($0) }
        (orderMetric, isDescending) = try Self.order(try fields.elements("order"), metrics)
        let most = isFile ? Limits.queryGroupsMaximum : Limits.queryRowsMaximum
        let limit = try fields.whole("limit") ?? Int64(isFile ? most : Self.limitDefault)
        guard (1...Int64(most)).contains(limit) else {
            throw ApiProblem.invalidField("/limit", "must be 1 to \(most)")
        }
        self.limit = Int(limit)
        attributionModel = try Self.attributionModel(fields.value("attribution"))
        try fields.end()
        try checkFit()
    }

    /// The bases whose rows have to be read.
    var bases: [QueryBase] {
        let needed = metrics.reduce(into: Set<QueryBase>()) { $0.formUnion($1.bases) }
        return QueryBase.allCases.filter(needed.contains)
    }

    /// The metrics that are read, of which the others are made.
    var leaves: [QueryMetric] {
        func leaves(_ metric: QueryMetric) -> [QueryMetric] {
            metric.parts.isEmpty ? [metric] : metric.parts.flatMap(leaves)
        }
        return metrics.flatMap(leaves)
    }

    // MARK: - Reading

    private static func metrics(_ list: [JSONValue]) throws -> [QueryMetric] {
        guard (1...10).contains(list.count) else {
            throw ApiProblem.invalidField("/metrics", "must name 1 to 10 metrics")
        }
        return try list.enumerated().map { index, value in
            let name = value.text ?? ""
            guard let metric = QueryMetric.named[name] else {
                throw QueryNames.unknown("unknown-metric", "/metrics/\(index)", name)
            }
            return metric
        }
    }

    private static func dimensions(_ list: [JSONValue]) throws -> [QueryDimension] {
        guard list.count <= 3 else {
            throw ApiProblem.invalidField("/dimensions", "must name at most 3 dimensions")
        }
        return try list.enumerated().map { index, value in
            let name = value.text ?? ""
            guard let dimension = QueryDimension.named[name] else {
                throw QueryNames.unknown("unknown-dimension", "/dimensions/\(index)", name)
            }
            return dimension
        }
    }

    private static func compare(
        _ value: JSONValue,
        _ asked: QueryRange,
        _ now: Date,
        _ calendar: Calendar
    ) throws -> (QueryRange, Comparison) {
        var fields = try FieldReader(value, at: "/compare")
        let to = fields.value("to")
        let align = try fields.text("align") ?? "elapsed"
        try fields.end()
        guard ["elapsed", "full", "weekday"].contains(align) else {
            throw ApiProblem.field(
                "invalid-range",
                "/compare/align",
                "is not known",
                ["elapsed", "full", "weekday"]
            )
        }
        let counted = align == "full" ? asked : asked.elapsed(now)
        switch to {
        case "previous"?:
            let earlier = counted.moved(asked.shift, calendar)
            return (counted, Comparison(range: earlier, align: align))
        case "year_ago"?:
            let year = align == "weekday" ? DateComponents(day: 364) : DateComponents(year: 1)
            return (counted, Comparison(range: counted.moved(year, calendar), align: align))
        case let named?:
            var parts = try FieldReader(named, at: "/compare/to")
            let (from, end) = (try parts.text("from") ?? "", try parts.text("to") ?? "")
            try parts.end()
            let earlier = try QueryRange.between(from, end, calendar, at: "/compare/to")
            return (counted, Comparison(range: earlier, align: "full"))
        case nil:
            throw ApiProblem.invalidField("/compare/to", "must be previous, year_ago or a range")
        }
    }

    private static func attributionModel(_ value: JSONValue?) throws -> String {
        guard let value else { return attributionModels[0] }
        var fields = try FieldReader(value, at: "/attribution")
        let model = try fields.text("model") ?? attributionModels[0]
        try fields.end()
        guard attributionModels.contains(model) else {
            throw ApiProblem.field(
                "invalid-field",
                "/attribution/model",
                "is not known",
                attributionModels
            )
        }
        return model
    }

    private static func order(
        _ list: [JSONValue]?,
        _ metrics: [QueryMetric]
    ) throws -> (Int, Bool) {
        guard let list else { return (0, true) }
        guard list.count == 1 else {
            throw ApiProblem.invalidField("/order", "must hold one metric")
        }
        var fields = try FieldReader(list[0], at: "/order/0")
        let (name, direction) = (try fields.text("by"), try fields.text("dir") ?? "desc")
        try fields.end()
        guard let index = metrics.firstIndex(where: { $0.name == name }) else {
            throw ApiProblem.field(
                "invalid-field",
                "/order/0/by",
                "must be one of the metrics asked for",
                metrics.map(\.name)
            )
        }
        guard ["asc", "desc"].contains(direction) else {
            throw ApiProblem.field(
                "invalid-field",
                "/order/0/dir",
                "is not known",
                ["asc", "desc"]
            )
        }
        return (index, direction == "desc")
    }

    /// Numbers are only put side by side where every one of them can be broken down and restricted alike.
    private func checkFit() throws {
        let names =
            dimensions.enumerated().map { ("/dimensions/\($0)", $1.name) }
            + (filter?.leaves ?? []).map { ("/filter", $0) }
        for (pointer, name) in names {
            guard let dimension = QueryDimension.named[name] else { continue }
            for metric in metrics
            where !metric.bases.allSatisfy({ dimension.expressions[$0] != nil }) {
                throw ApiProblem.field(
                    "incompatible-fields",
                    pointer,
                    "names \(name), by which \(metric.name) cannot be told apart",
                    QueryDimension.fitting(metric.bases).map(\.name),
                    status: 422
                )
            }
        }
        if grain != nil { _ = try buckets(of: range) }
    }

    /// Beginnings of a range's buckets; the whole range where there is no grain.
    func buckets(of range: QueryRange) throws -> [Date] {
        guard let grain else { return [range.from] }
        return try range.buckets(
            grain,
            QueryRange.calendar(zone),
            most: Limits.queryBucketsMaximum
        )
    }
}
