import Foundation
import Settings

/// The answer to a question: rows, totals and what they are worth.
struct QueryAnswer {
    let plan: QueryPlan
    let now: QueryTable
    let earlier: QueryTable?
    let money: QueryMoney
    /// What the figures are of.
    let sources: [String]
    /// Up to when everything that was received is in the rows; nil where nobody knows.
    let asOf: Date?
    /// When it was asked, and how long answering has taken so far.
    let askedAt: Date
    let elapsedMilliseconds: Int64

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

    func document() throws -> JSONValue {
        let (shown, all) = groups()
        let starts = try plan.buckets(of: plan.range)
        var rows: [JSONValue] = []
        let hasRows = plan.grain != nil || !plan.dimensions.isEmpty
        for group in shown where hasRows {
            for (index, start) in starts.enumerated() {
                rows.append(row(group, plan.grain == nil ? nil : index, start))
            }
        }
        var warnings: [String] = []
        if all > shown.count {
            warnings.append("\(shown.count) of \(all) groups are shown; limit says how many")
        }
        if let warning = money.warning, plan.metrics.contains(where: { $0.unit == .money }) {
            warnings.append(warning)
        }
        return [
            "columns": .array(columns), "rows": .array(rows), "totals": totals,
            "meta": meta(warnings),
        ]
    }

    private func row(_ group: [String?], _ bucket: Int?, _ start: Date) -> JSONValue {
        let key = QueryTable.Key(group: group, bucket: bucket)
        let currency = currency(of: group)
        var row: [String: JSONValue] = [
            "d": .array(group.map { $0.map(JSONValue.string) ?? .null }),
            "m": figures(now.cells[key] ?? [:], currency),
        ]
        if bucket != nil { row["t"] = .string(worth.text(start)) }
        if let earlier { row["c"] = figures(earlier.cells[key] ?? [:], currency) }
        return .object(row)
    }

    /// A group of one currency has its own.
    private func currency(of group: [String?]) -> String? {
        let place = plan.dimensions.firstIndex { $0.name == QueryDimension.currency }
        return place.flatMap { group[$0] } ?? money.currency
    }

    private func figures(_ figures: [String: Decimal], _ currency: String?) -> JSONValue {
        .array(
            plan.metrics.map { metric in
                let value = QueryTable.value(metric, figures)
                return metric.unit == .money
                    ? QueryMoney.json(value, currency) : Self.json(value, metric.unit)
            }
        )
    }

    private static func json(_ value: Decimal?, _ unit: QueryMetric.Unit) -> JSONValue {
        guard let value else { return .null }
        if unit == .integer, let whole = Int64("\(value)") { return .integer(whole) }
        return .number((NSDecimalNumber(decimal: value).doubleValue * 1e6).rounded() / 1e6)
    }

    private var totals: JSONValue {
        var totals: [String: JSONValue] = ["m": figures(now.totals, money.currency)]
        totals["by_currency"] = money.byCurrency
        guard let earlier else { return .object(totals) }
        totals["c"] = figures(earlier.totals, money.currency)
        totals["change"] = .array(plan.metrics.map { change($0, from: earlier) })
        return .object(totals)
    }

    private func change(_ metric: QueryMetric, from earlier: QueryTable) -> JSONValue {
        if metric.unit == .money && money.currency == nil { return .null }
        guard let value = QueryTable.value(metric, now.totals),
            let before = QueryTable.value(metric, earlier.totals), before != 0
        else { return .null }
        return Self.json((value - before) / before, .ratio)
    }

    private var columns: [JSONValue] {
        plan.dimensions.map { ["name": .string($0.name), "type": "string"] }
            + plan.metrics.map { metric in
                var column: [String: JSONValue] = [
                    "name": .string(metric.name), "type": .string(metric.unit.rawValue),
                ]
                if metric.unit == .money, let currency = money.currency {
                    column["currency"] = .string(currency)
                    column["minor_digits"] = .integer(Int64(QueryMoney.decimals(currency)))
                }
                return .object(column)
            }
    }

    private func meta(_ warnings: [String]) -> JSONValue {
        var meta = worth.members(warnings)
        if plan.bases.contains(.attribution) {
            meta["attribution"] = ["model": .string(plan.attributionModel)]
        }
        if let comparison = plan.comparison {
            meta["compared"] = [
                "range": worth.span(comparison.range), "align": .string(comparison.align),
            ]
        }
        return .object(meta)
    }

    private var worth: FigureWorth {
        FigureWorth(
            zone: plan.zone,
            range: plan.range,
            sources: sources,
            asOf: asOf,
            askedAt: askedAt,
            elapsedMilliseconds: elapsedMilliseconds
        )
    }
}
