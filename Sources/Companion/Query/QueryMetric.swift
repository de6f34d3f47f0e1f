/// A figure that can be asked for. Names and definitions are a public contract.
struct QueryMetric: Sendable {
    /// How a figure comes about.
    enum Source: Sendable {
        /// An aggregate over the base's rows, called `r`.
        case rows(QueryBase, StaticString)
        /// One metric by another, both of the same group and range; null where there is nothing to
        /// divide by.
        case ratio(String, String)
        /// One metric less another.
        case difference(String, String)
        /// What is missing to all.
        case complement(String)
    }

    /// What a figure is.
    enum Unit: String, Sendable {
        case integer, number, ratio, money, milliseconds
    }

    let name: String
    let title: String
    let about: String
    let unit: Unit
    let source: Source
    /// What has to be looked up for the rows.
    let joins: Set<QueryJoin>

    init(
        _ name: String,
        _ title: String,
        _ unit: Unit,
        _ source: Source,
        joins: Set<QueryJoin> = [],
        _ about: String
    ) {
        (self.name, self.title, self.unit) = (name, title, unit)
        (self.source, self.joins, self.about) = (source, joins, about)
    }

    /// The metrics that it is made of; none for one that is read from rows.
    var parts: [QueryMetric] {
        switch source {
        case .rows: []
        case .ratio(let one, let other), .difference(let one, let other):
            [one, other].compactMap { Self.named[$0] }
        case .complement(let name): [name].compactMap { Self.named[$0] }
        }
    }

    /// Whether nothing makes 0 of it.
    var isSum: Bool {
        unit == .integer || unit == .money || name == "attributed_conversions"
    }

    /// The bases whose rows it needs.
    var bases: Set<QueryBase> {
        if case .rows(let base, _) = source { return [base] }
        return parts.reduce(into: []) { $0.formUnion($1.bases) }
    }

    static let named = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    static let all = ofVisitors + ofSessions + ofReadiness + ofConversions + ofDeliveries
}
