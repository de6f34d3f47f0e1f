import Foundation
import Settings

/// Figures of one range, from the rows of every base.
struct QueryTable {
    /// A group and a bucket; a bucket of nil stands for the whole range.
    struct Key: Hashable {
        let group: [String?]
        let bucket: Int?
    }

    /// Figures by metric name.
    private(set) var cells: [Key: [String: Decimal]] = [:]
    /// Figures of everything.
    private(set) var totals: [String: Decimal] = [:]

    /// Takes the rows of one reading. Throws when there are more groups than can be told.
    mutating func take(_ rows: [ArchiveRow], of reading: QueryReading) throws {
        if rows.count > Limits.queryGroupsMaximum { throw QueryTable.tooManyGroups }
        for row in rows {
            var figures: [String: Decimal] = [:]
            for (index, metric) in reading.metrics.enumerated() {
                let text = row[reading.keyCount + index]
                figures[metric.name] = text.flatMap { Decimal(string: $0) }
            }
            take(figures, row, reading.plan)
        }
    }

    private mutating func take(_ figures: [String: Decimal], _ row: ArchiveRow, _ plan: QueryPlan) {
        let hasBucket = plan.grain != nil && row[0] == "0"
        let hasGroup = !plan.dimensions.isEmpty && row[1] == "0"
        if !hasBucket && !hasGroup {
            totals.merge(figures) { $1 }
            return
        }
        let key = Key(
            group: hasGroup ? Array(row[3..<3 + plan.dimensions.count]) : [],
            bucket: hasBucket ? row[2].flatMap { Int($0) }.map { $0 - 1 } : nil
        )
        cells[key, default: [:]].merge(figures) { $1 }
    }

    static let tooManyGroups = ApiProblem.field(
        "too-many-groups",
        "/dimensions",
        "makes more than \(Limits.queryGroupsMaximum) groups and buckets; filter, or use a coarser grain",
        status: 422
    )

    /// The value of a metric in some figures. Nothing counted is 0 for a count, and nothing for a mean.
    static func value(_ metric: QueryMetric, _ figures: [String: Decimal]) -> Decimal? {
        switch metric.source {
        case .rows:
            return figures[metric.name] ?? (metric.unit == .integer ? 0 : nil)
        case .ratio(let upper, let lower):
            guard let upper = QueryMetric.named[upper], let lower = QueryMetric.named[lower],
                let above = value(upper, figures), let below = value(lower, figures), below != 0
            else { return nil }
            return above / below
        }
    }
}

/// The answer to a question: rows, totals and what they are worth.
struct QueryAnswer {
    let plan: QueryPlan
    let now: QueryTable
    let earlier: QueryTable?

    /// Groups in the order of the answer; one that is empty where there are no dimensions.
    private func groups() -> (shown: [[String?]], all: Int) {
        if plan.dimensions.isEmpty { return ([[]], 1) }
        let metric = plan.metrics[plan.orderMetric]
        let found = now.cells.filter { $0.key.bucket == nil }
        let ordered = found.map { (group: $0.key.group, value: QueryTable.value(metric, $0.value)) }
            .sorted { one, other in
                if one.value == other.value { return Self.isBefore(one.group, other.group) }
                // What has no value comes last whichever way the others go.
                guard let left = one.value, let right = other.value else { return one.value != nil }
                return plan.isDescending ? left > right : left < right
            }
        return (ordered.prefix(plan.limit).map(\.group), ordered.count)
    }

    private static func isBefore(_ one: [String?], _ other: [String?]) -> Bool {
        for (left, right) in zip(one, other) where left != right {
            return (left ?? "\u{10ffff}") < (right ?? "\u{10ffff}")
        }
        return false
    }

    /// The document, as of `moment`.
    func document(currency: String, asOf moment: Date, elapsedMilliseconds: Int64) throws
        -> JSONValue
    {
        let (shown, all) = groups()
        let starts = try plan.buckets(of: plan.range)
        var rows: [JSONValue] = []
        let hasRows = plan.grain != nil || !plan.dimensions.isEmpty
        for group in shown where hasRows {
            for (index, start) in starts.enumerated() {
                rows.append(row(group, plan.grain == nil ? nil : index, start))
            }
        }
        var warnings: [JSONValue] = []
        if all > shown.count {
            let text = "\(shown.count) of \(all) groups are shown; limit says how many"
            warnings.append(.string(text))
        }
        return [
            "columns": .array(columns(currency)), "rows": .array(rows), "totals": totals,
            "meta": meta(moment, elapsedMilliseconds, warnings),
        ]
    }

    private func row(_ group: [String?], _ bucket: Int?, _ start: Date) -> JSONValue {
        let key = QueryTable.Key(group: group, bucket: bucket)
        var row: [String: JSONValue] = [
            "d": .array(group.map { $0.map(JSONValue.string) ?? .null }),
            "m": figures(now.cells[key] ?? [:]),
        ]
        if bucket != nil { row["t"] = .string(text(start)) }
        if let earlier { row["c"] = figures(earlier.cells[key] ?? [:]) }
        return .object(row)
    }

    private func figures(_ figures: [String: Decimal]) -> JSONValue {
        .array(plan.metrics.map { Self.json(QueryTable.value($0, figures), $0.unit) })
    }

    private static func json(_ value: Decimal?, _ unit: QueryMetric.Unit) -> JSONValue {
        guard let value else { return .null }
        if unit == .integer, let whole = Int64("\(value)") { return .integer(whole) }
        return .number((NSDecimalNumber(decimal: value).doubleValue * 1e6).rounded() / 1e6)
    }

    private var totals: JSONValue {
        var totals: [String: JSONValue] = ["m": figures(now.totals)]
        guard let earlier else { return .object(totals) }
        totals["c"] = figures(earlier.totals)
        totals["change"] = .array(
            plan.metrics.map { metric in
                guard let value = QueryTable.value(metric, now.totals),
                    let before = QueryTable.value(metric, earlier.totals), before != 0
                else { return .null }
                return Self.json((value - before) / before, .ratio)
            }
        )
        return .object(totals)
    }

    private func columns(_ currency: String) -> [JSONValue] {
        plan.dimensions.map { ["name": .string($0.name), "type": "string"] }
            + plan.metrics.map { metric in
                var column: [String: JSONValue] = [
                    "name": .string(metric.name), "type": .string(metric.unit.rawValue),
                ]
                if metric.unit == .money { column["currency"] = .string(currency) }
                return .object(column)
            }
    }

    private func meta(
        _ moment: Date,
        _ elapsedMilliseconds: Int64,
        _ warnings: [JSONValue]
    ) -> JSONValue {
        var meta: [String: JSONValue] = [
            "as_of": .string(text(moment)),
            // An event is moved to a time not longer ago than this, so earlier days no longer change.
            "final_before": .string(text(moment.addingTimeInterval(-7 * 86_400))),
            "range": span(plan.range), "time_zone": .string(plan.zone.identifier),
            "sources": .words(plan.bases.map(\.rawValue)), "warnings": .array(warnings),
            "elapsed_ms": .integer(elapsedMilliseconds),
        ]
        if let comparison = plan.comparison {
            meta["compared"] = [
                "range": span(comparison.range), "align": .string(comparison.align),
            ]
        }
        return .object(meta)
    }

    private func span(_ range: QueryRange) -> JSONValue {
        ["from": .string(text(range.from)), "to": .string(text(range.to))]
    }

    /// With the site's offset of that moment.
    private func text(_ date: Date) -> String {
        let format = Date.ISO8601FormatStyle(timeZone: plan.zone).year().month().day()
            .dateSeparator(.dash).time(includingFractionalSeconds: false).timeSeparator(.colon)
            .timeZone(separator: .colon)
        return date.formatted(format)
    }
}
