/// Reads Prometheus' text format as far as the meter needs it.
public enum Prometheus {
    /// The sum of a metric over all its label sets, or nil when the text does not have it.
    public static func sum(of metric: String, in text: String) -> Double? {
        var total: Double?
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(metric) {
            guard let value = value(of: line, metric) else { continue }
            total = (total ?? 0) + value
        }
        return total
    }

    /// The value of a sample line, when the line is of `metric` and not of one that begins alike.
    private static func value(of line: Substring, _ metric: String) -> Double? {
        let rest = line.dropFirst(metric.count)
        guard let next = rest.first, next == "{" || next == " " else { return nil }
        let behindLabels = next == "{" ? rest.drop { $0 != "}" }.dropFirst() : rest
        return behindLabels.split(separator: " ").first.flatMap { Double($0) }
    }
}
