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

    /// Sums of the whole range, of rows of `QueryRollup`.
    static func totals(_ rows: [ArchiveRow]) -> [String: Decimal] {
        sums(rows)[Key(group: [], bucket: nil)] ?? [:]
    }

    private static func sums(_ rows: [ArchiveRow]) -> [Key: [String: Decimal]] {
        rows.reduce(into: [:]) { sums, row in
            guard let bucket = row[0].flatMap({ Int($0) }), let figure = row[1],
                let value = row[2].flatMap({ Decimal(string: $0) })
            else { return }
            let key = Key(
                group: row[3] == "t" ? [row[4]] : [],
                bucket: bucket == 0 ? nil : bucket - 1
            )
            sums[key, default: [:]][figure, default: 0] += value
        }
    }

    /// Takes rows of `QueryRollup`. Throws when there are more groups than can be told.
    mutating func take(_ rows: [ArchiveRow], of plan: QueryPlan) throws {
        let sums = Self.sums(rows)
        if sums.count > Limits.queryGroupsMaximum { throw Self.tooManyGroups }
        for (key, sums) in sums {
            var figures: [String: Decimal] = [:]
            for metric in plan.leaves {
                figures[metric.name] = RollupFormula.named[metric.name]?.value(sums)
            }
            if key.bucket == nil && key.group.isEmpty { totals = figures }
            // With a dimension, buckets of everything are nobody's rows.
            if key.group.count == plan.dimensions.count { cells[key] = figures }
        }
    }

    static let tooManyGroups = ApiProblem.field(
        "too-many-groups",
        "/dimensions",
        "makes more than \(Limits.queryGroupsMaximum) groups and buckets; filter, or use a coarser grain",
        status: 422
    )

    /// The value of a metric in some figures. Nothing counted is 0 for a count, and nothing for a mean.
    static func value(_ metric: QueryMetric, _ figures: [String: Decimal]) -> Decimal? {
        let parts = metric.parts.map { value($0, figures) }
        switch metric.source {
        case .rows: return figures[metric.name] ?? (metric.isSum ? 0 : nil)
        case .ratio:
            guard let above = parts[0], let below = parts[1], below != 0 else { return nil }
            return above / below
        case .difference: return parts[0].flatMap { whole in parts[1].map { whole - $0 } }
        case .complement: return parts[0].map { 1 - $0 }
        }
    }
}
