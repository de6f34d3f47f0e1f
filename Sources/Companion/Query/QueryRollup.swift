import Foundation
import Settings
import Telemetry

/// How a figure comes from those of whole days.
enum RollupFormula: Sendable {
    /// Added up.
    case sum(String)
    /// One sum by another.
    case mean(String, String)
    /// Distinct visitors who did this, as bits of `heliograph.rollup_visitor`.
    case reach(Int)
    /// Of the visitors of the first kind, those who are also of the second.
    case rate(Int, Int)
    /// Added up over all currencies.
    case money(String)

    /// Of the metrics that days can answer.
    static let named: [String: RollupFormula] = [
        "visitors": .reach(1), "new_visitors": .sum("arrivals"), "page_views": .sum("page_views"),
        "events": .sum("events"), "sessions": .sum("sessions"),
        "views_per_session": .mean("session_views", "sessions"),
        "single_page_rate": .mean("single_pages", "sessions"), "bounces": .sum("bounces"),
        "active_time_avg": .mean("active_milliseconds", "sessions"),
        "converting_sessions": .sum("converting_sessions"),
        "peak_readiness_avg": .mean("peaks", "sessions"), "hot_visitors": .reach(4),
        "warm_visitors": .reach(8), "conversions": .sum("conversions"),
        "converting_visitors": .reach(2), "conversion_rate": .rate(1, 2),
        "orders": .sum("orders"), "revenue": .money("revenue"),
    ]

    /// Whether days tell it of the parts of a dimension, too; distinct visitors and events they do not.
    func isTold(byDimension: Bool) -> Bool {
        switch self {
        case .reach, .rate: !byDimension
        case .sum(let name): !byDimension || (name != "events" && name != "page_views")
        case .mean, .money: true
        }
    }

    /// By what days say, and what the rest of the range says; nil where there is nothing to divide by.
    func value(_ sums: [String: Decimal]) -> Decimal? {
        func sum(_ name: String) -> Decimal { sums[name] ?? 0 }
        func reach(_ kinds: Int) -> Decimal { sum("reach:\(kinds)") }
        switch self {
        case .sum(let name): return sum(name)
        case .mean(let upper, let lower): return sum(lower) == 0 ? nil : sum(upper) / sum(lower)
        case .reach(let kinds): return reach(kinds)
        case .rate(let all, let some):
            if reach(all) == 0 { return nil }
            return (reach(all) + reach(some) - reach(all | some)) / reach(all)
        case .money(let name):
            return Self.byCurrency(name, sums).values.reduce(0, +)
        }
    }

    /// Sums by currency; of those without one under an empty name.
    static func byCurrency(_ name: String, _ sums: [String: Decimal]) -> [String: Decimal] {
        sums.reduce(into: [:]) { found, sum in
            let parts = sum.key.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2, parts[0] == name { found[String(parts[1])] = sum.value }
        }
    }
}

/// A question about one range that whole days can answer: as far as they are filled, by them, and from
/// there on by the rows.
struct QueryRollup: Sendable {
    /// Which days hold, as PostgreSQL tells it: asked before, and again with the figures.
    struct Standing: Sendable, Equatable {
        /// The first day that there is anything of.
        let begins: String?
        let fresh: [String]

        init(_ rows: [ArchiveRow]) {
            begins = rows.first?[0]
            fresh = rows.compactMap { $0[1] }
        }
    }

    let plan: QueryPlan
    let range: QueryRange
    private let calendar: Calendar

    /// Nil when days cannot answer.
    init?(_ plan: QueryPlan, _ range: QueryRange) {
        let grains: [QueryRange.Grain?] = [nil, .day, .week, .month]
        calendar = QueryRange.calendar(plan.zone)
        let formulas = plan.leaves.map { RollupFormula.named[$0.name] }
        guard plan.filter == nil, grains.contains(plan.grain), plan.dimensions.count <= 1,
            plan.dimensions.allSatisfy({ Self.dimensions.contains($0.name) }),
            formulas.allSatisfy({ $0?.isTold(byDimension: !plan.dimensions.isEmpty) == true }),
            calendar.startOfDay(for: range.from) == range.from
        else { return nil }
        (self.plan, self.range) = (plan, range)
    }

    /// What the figures of days are told by; as in migration 14.
    private static let dimensions = [
        "session.channel", "session.source", "session.medium", "session.campaign",
    ]

    private static let standing: StaticString = """
        SELECT known.begins::text, fresh.day::text FROM (
            SELECT min(day) AS begins FROM heliograph.rollup_day WHERE site = $1 AND zone = $2
        ) AS known LEFT JOIN LATERAL heliograph.fresh_rollups(
            $1, $2, greatest($3::date, known.begins), $4::date) AS fresh (day) ON true
        ORDER BY fresh.day
        """

    var standing: ArchiveQuery {
        let parameters = [
            plan.site, plan.zone.identifier, calendar.dayName(range.from),
            calendar.dayName(range.to),
        ]
        return ArchiveQuery(Self.standing, parameters)
    }

    /// The day up to which days answer; nil when not even the first does.
    func cut(_ standing: Standing) -> Date? {
        var day = range.from
        if let begins = standing.begins, let first = calendar.day(begins) { day = max(day, first) }
        let first = day
        let fresh = Set(standing.fresh)
        while fresh.contains(calendar.dayName(day)),
            let next = calendar.date(byAdding: .day, value: 1, to: day), next <= range.to
        {
            day = next
        }
        return day > first ? day : nil
    }

    // MARK: - The statement

    /// `$2` to `$6` are spans: their bucket, 0 for the whole range, the days they hold and when they
    /// begin and end. Days answer up to `$7`, and rows from `$8` on, which is the same moment. `$9` are
    /// what visitors did, `$10` is the dimension, empty for none.
    private static let figures: StaticString = """
        WITH span AS (
            SELECT * FROM unnest($2::int[], $3::date[], $4::date[], $5::timestamptz[],
                $6::timestamptz[]) AS span (bucket, first, behind, begins, ends)
        ), kind AS (SELECT unnest($9::int[]) AS kind), late AS MATERIALIZED (
            SELECT span.*, greatest(span.begins, $8::timestamptz) AS since FROM span
            WHERE span.ends > $8::timestamptz
        )
        SELECT span.bucket, f.figure, sum(f.amount), f.dimension <> '', f.value
        FROM span JOIN heliograph.rollup_figure AS f
            ON f.site = $1 AND f.dimension = ANY (ARRAY['', $10::text])
                AND f.day >= span.first AND f.day < least(span.behind, $7::date)
        GROUP BY span.bucket, f.dimension, f.value, f.figure
        UNION ALL
        SELECT span.bucket, 'reach:' || r.kind, sum(r.visitors), false, NULL
        FROM span JOIN heliograph.rollup_reach AS r
            ON r.site = $1 AND r.day >= span.first AND r.day < least(span.behind, $7::date)
                AND (r.previous IS NULL OR r.previous < span.first)
                AND r.kind = ANY ($9::int[])
        GROUP BY span.bucket, r.kind
        UNION ALL
        SELECT late.bucket, f.figure, f.amount, f.dimension <> '', f.value
        FROM late, heliograph.figures_between($1, late.since, late.ends) AS f
        WHERE f.dimension = ANY (ARRAY['', $10::text])
        UNION ALL
        SELECT late.bucket, 'reach:' || kind.kind, count(*), false, NULL
        FROM late, heliograph.visitors_between($1, late.since, late.ends) AS v
            JOIN kind ON v.kinds & kind.kind <> 0
        WHERE NOT EXISTS (
            SELECT FROM heliograph.rollup_visitor AS p
            WHERE p.site = $1 AND p.visitor_id = v.visitor_id AND p.day >= late.first
                AND p.day < $7::date AND p.kinds & kind.kind <> 0)
        GROUP BY late.bucket, kind.kind
        """

    func query(cut: Date) throws -> ArchiveQuery {
        let starts = plan.grain == nil ? [] : try plan.buckets(of: range)
        let ends = starts.dropFirst() + [range.to]
        let begins = [range.from] + starts
        let behind = [range.to] + (starts.isEmpty ? [] : Array(ends))
        func list(_ values: [String]) -> String { "{" + values.joined(separator: ",") + "}" }
        return ArchiveQuery(
            Self.figures,
            [
                plan.site, list(begins.indices.map(String.init)),
                list(begins.map(calendar.dayName)), list(behind.map(calendar.dayName)),
                list(begins.map(QueryStatement.moment)), list(behind.map(QueryStatement.moment)),
                calendar.dayName(cut), QueryStatement.moment(cut), list(kinds.map(String.init)),
                plan.dimensions.first?.name ?? "",
            ]
        )
    }

    private var kinds: [Int] {
        let kinds = plan.leaves.reduce(into: Set<Int>()) { kinds, metric in
            switch RollupFormula.named[metric.name] {
            case .reach(let kind): kinds.insert(kind)
            case .rate(let all, let some): kinds.formUnion([all, some, all | some])
            default: break
            }
        }
        return kinds.sorted()
    }
}

extension Calendar {
    /// The day that `moment` lies in, such as `2026-11-21`.
    fileprivate func dayName(_ moment: Date) -> String {
        let parts = dateComponents([.year, .month, .day], from: moment)
        func digits(_ number: Int?, _ count: Int) -> String {
            let text = String(number ?? 0)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(digits(parts.year, 4))-\(digits(parts.month, 2))-\(digits(parts.day, 2))"
    }

    fileprivate func day(_ name: String) -> Date? {
        let parts = name.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return nil }
        return date(from: DateComponents(year: parts[0], month: parts[1], day: parts[2]))
    }
}
