import Foundation
import Settings
import Telemetry

/// A statement put together from literals; values travel as parameters.
struct QueryStatement {
    private(set) var text = ""
    private(set) var parameters: [String?]

    /// Begins with the site and the range, which are `$1`, `$2` and `$3`.
    init(site: String, range: QueryRange) {
        parameters = [site, Self.moment(range.from), Self.moment(range.to)]
    }

    mutating func add(_ literal: StaticString) { text += literal.description }

    /// A name made of a literal and a number of ours.
    mutating func add(_ literal: StaticString, _ number: Int) {
        text += "\(literal)\(number)"
    }

    mutating func add(value: String) {
        parameters.append(value)
        text += "$\(parameters.count)"
    }

    /// As PostgreSQL reads a moment, whatever its settings.
    static func moment(_ date: Date) -> String {
        RFC3339.text(epochMilliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded()))
    }
}

/// The statement that reads one base's rows: one row for each group and bucket, one for each group over
/// the whole range, and one for everything.
struct QueryReading {
    let plan: QueryPlan
    let base: QueryBase
    /// Aggregates in the order of their columns.
    let metrics: [QueryMetric]

    init(_ plan: QueryPlan, _ base: QueryBase) {
        (self.plan, self.base) = (plan, base)
        var names: [String] = []
        func need(_ name: String) {
            guard let metric = QueryMetric.named[name], !names.contains(name) else { return }
            if case .rows(let own, _) = metric.source, own == base { names.append(name) }
            for part in metric.parts { need(part.name) }
        }
        for metric in plan.metrics { need(metric.name) }
        metrics = names.compactMap { QueryMetric.named[$0] }
    }

    private var hasBuckets: Bool { plan.grain != nil }

    /// Columns before the figures: two marks, the bucket, the dimensions.
    var keyCount: Int { 3 + plan.dimensions.count }

    func query(_ range: QueryRange) throws -> ArchiveQuery {
        var statement = QueryStatement(site: plan.site, range: range)
        addColumns(&statement)
        try addRows(&statement, range)
        addGroups(&statement)
        statement.add(" LIMIT ", Limits.queryGroupsMaximum + 1)
        return ArchiveQuery(statement)
    }

    /// What is added up by currency: nil where there is no money.
    func currencies(_ range: QueryRange) throws -> ArchiveQuery? {
        guard base.hasMoney, metrics.contains(where: { $0.unit == .money }) else { return nil }
        var statement = QueryStatement(site: plan.site, range: range)
        statement.add("SELECT r.currency")
        addAggregates(&statement)
        try addRows(&statement, range)
        statement.add(
            " WHERE r.name = 'purchase' AND r.value IS NOT NULL AND r.currency IS NOT NULL"
        )
        statement.add(" GROUP BY r.currency ORDER BY r.currency LIMIT 200")
        return ArchiveQuery(statement)
    }

    /// The rows that count, each with its keys.
    private func addRows(_ statement: inout QueryStatement, _ range: QueryRange) throws {
        let joins = joins
        statement.add(" FROM (SELECT s.*, ")
        try addKeys(&statement, range)
        for join in joins { statement.add(join.columns) }
        statement.add(" FROM ")
        statement.add(base.table)
        statement.add(" AS s")
        for join in joins { statement.add(join.statement) }
        statement.add(" WHERE s.site = $1 AND ")
        statement.add(base.time)
        statement.add(" >= $2::timestamptz AND ")
        statement.add(base.time)
        statement.add(" < $3::timestamptz")
        statement.add(base.condition)
        if base == .attribution {
            statement.add(" AND s.model = ")
            statement.add(value: plan.attributionModel)
        }
        if let filter = plan.filter {
            statement.add(" AND coalesce(")
            statement.add(filter, on: base)
            statement.add(", false)")
        }
        statement.add(") AS r")
    }

    private var joins: [QueryJoin] {
        let leaves = (plan.filter?.leaves ?? []).compactMap { QueryDimension.named[$0] }
        let needed = metrics.reduce(into: Set<QueryJoin>()) { $0.formUnion($1.joins) }
            .union((plan.dimensions + leaves).compactMap { $0.joins[base] })
        return QueryJoin.allCases.filter(needed.contains)
    }

    private func addColumns(_ statement: inout QueryStatement) {
        statement.add("SELECT ")
        statement.add(hasBuckets ? "grouping(r.key_bucket)" : "0")
        statement.add(plan.dimensions.isEmpty ? ", 0" : ", grouping(r.key_0)")
        statement.add(hasBuckets ? ", r.key_bucket" : ", 1")
        for index in plan.dimensions.indices { statement.add(", r.key_", index) }
        addAggregates(&statement)
    }

    private func addAggregates(_ statement: inout QueryStatement) {
        for metric in metrics {
            guard case .rows(_, let aggregate) = metric.source else { continue }
            statement.add(", ")
            statement.add(aggregate)
        }
    }

    private func addKeys(_ statement: inout QueryStatement, _ range: QueryRange) throws {
        if hasBuckets {
            statement.add("width_bucket(")
            statement.add(base.time)
            statement.add(", string_to_array(")
            let starts = try plan.buckets(of: range).map(QueryStatement.moment)
            statement.add(value: starts.joined(separator: ","))
            statement.add(", ',')::timestamptz[]) AS key_bucket")
        } else {
            statement.add("1 AS key_bucket")
        }
        for (index, dimension) in plan.dimensions.enumerated() {
            statement.add(", (")
            statement.add(dimension.expressions[base] ?? "NULL")
            statement.add(")::text AS key_", index)
        }
    }

    /// Distinct visitors of parts do not add up, so wholes are counted by themselves.
    private func addGroups(_ statement: inout QueryStatement) {
        if !hasBuckets && plan.dimensions.isEmpty { return }
        statement.add(" GROUP BY GROUPING SETS ((), (")
        if hasBuckets { statement.add("r.key_bucket") }
        for index in plan.dimensions.indices {
            statement.add(hasBuckets || index > 0 ? ", r.key_" : "r.key_", index)
        }
        statement.add(")")
        if hasBuckets && !plan.dimensions.isEmpty {
            statement.add(", (")
            for index in plan.dimensions.indices {
                statement.add(index > 0 ? ", r.key_" : "r.key_", index)
            }
            statement.add(")")
        }
        statement.add(")")
    }
}

/// Everything that has to be asked about one range: of the days, or of each base's rows.
struct QueryQuestions {
    /// One of each reading, and then those about money.
    let queries: [ArchiveQuery]
    /// What the figures are of.
    let sources: [String]
    private let plan: QueryPlan
    /// None where days answer.
    private let readings: [QueryReading]
    private let moneyReadings: [QueryReading]

    /// About the rows.
    init(_ plan: QueryPlan, _ range: QueryRange) throws {
        self.plan = plan
        readings = plan.bases.map { QueryReading(plan, $0) }
        let money = try readings.compactMap { reading in
            try reading.currencies(range).map { (reading, $0) }
        }
        let scanning = ArchiveQuery("SET LOCAL enable_seqscan = on")
        queries = try [scanning] + readings.map { try $0.query(range) } + money.map(\.1)
        moneyReadings = money.map(\.0)
        sources = plan.bases.map(\.rawValue)
    }

    /// About the days, and about the rows behind `cut`.
    init(_ rollup: QueryRollup, cut: Date) throws {
        plan = rollup.plan
        (readings, moneyReadings) = ([], [])
        queries = [try rollup.query(cut: cut)]
        sources = ["days"] + (cut < rollup.range.to ? plan.bases.map(\.rawValue) : [])
    }

    func table(_ answers: [[ArchiveRow]]) throws -> QueryTable {
        var table = QueryTable()
        if readings.isEmpty { try table.take(answers[0], of: plan) }
        for (reading, rows) in zip(readings, answers.dropFirst()) {
            try table.take(rows, of: reading)
        }
        return table
    }

    /// Figures by currency and metric.
    func sums(_ answers: [[ArchiveRow]]) -> [String: [String: Decimal]] {
        if readings.isEmpty { return Self.sums(QueryTable.totals(answers[0])) }
        var sums: [String: [String: Decimal]] = [:]
        for (reading, rows) in zip(moneyReadings, answers.dropFirst(1 + readings.count)) {
            sums.merge(QueryMoney.sums(rows, of: reading)) { $0.merging($1) { $1 } }
        }
        return sums
    }

    private static func sums(_ total: [String: Decimal]) -> [String: [String: Decimal]] {
        let orders = RollupFormula.byCurrency("orders", total)
        return RollupFormula.byCurrency("revenue", total).filter { !$0.key.isEmpty }
            .reduce(into: [:]) { sums, revenue in
                sums[revenue.key] = ["revenue": revenue.value, "orders": orders[revenue.key] ?? 0]
            }
    }
}
