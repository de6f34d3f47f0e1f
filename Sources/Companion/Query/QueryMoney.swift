import Foundation
import Settings

/// Of what currencies the money of an answer is, and how it is written: in whole minor units.
struct QueryMoney {
    /// The currency of every purchase that counts; the site's where there is none; nil for several.
    let currency: String?
    /// Figures by currency and metric, of the range asked for.
    private let sums: [String: [String: Decimal]]
    private let metrics: [QueryMetric]

    /// From what each reading of the range, and of the earlier one, adds up by currency.
    init(site: String, metrics: [QueryMetric], sums: [[String: [String: Decimal]]]) {
        let names = sums.reduce(into: Set<String>()) { $0.formUnion($1.keys) }
        currency = names.count > 1 ? nil : names.first ?? site
        self.metrics = metrics.filter { $0.unit == .money && !$0.bases.contains(.events) }
        self.sums = sums.first ?? [:]
    }

    /// Rows of `QueryReading.currencies`, each the currency and then the figures.
    static func sums(
        _ rows: [ArchiveRow],
        of reading: QueryReading
    ) -> [String: [String: Decimal]] {
        rows.reduce(into: [:]) { sums, row in
            guard let currency = row[0] else { return }
            for (index, metric) in reading.metrics.enumerated() {
                sums[currency, default: [:]][metric.name] =
                    row[1 + index].flatMap { Decimal(string: $0) }
            }
        }
    }

    /// Decimals of money in `currency`; most have two.
    static func decimals(_ currency: String) -> Int { CurrencyDecimals.of(currency) ?? 2 }

    /// An amount in minor units, rounded to a whole one; null where nobody knows of what.
    static func json(_ amount: Decimal?, _ currency: String?) -> JSONValue {
        guard let amount, let currency else { return .null }
        var (exact, whole) = (amount * pow(10, decimals(currency)), Decimal())
        NSDecimalRound(&whole, &exact, 0, .plain)
        return Int64("\(whole)").map(JSONValue.integer) ?? .null
    }

    /// Every currency's own money; nil where there are not several.
    var byCurrency: JSONValue? {
        guard currency == nil, !metrics.isEmpty else { return nil }
        return .object(
            Dictionary(
                uniqueKeysWithValues: sums.map { currency, figures in
                    let amounts = metrics.map { metric in
                        (metric.name, Self.json(QueryTable.value(metric, figures), currency))
                    }
                    return (currency, .object(Dictionary(uniqueKeysWithValues: amounts)))
                }
            )
        )
    }

    var warning: String? {
        if currency != nil { return nil }
        return "purchases are in several currencies: money is null; break it down by "
            + QueryDimension.currency
    }
}
