import HTTPTypes
import Hummingbird
import NIOCore

/// An answer to a question as a table of a file: a row for each group and bucket, and where nothing tells
/// rows apart one of the totals. Money is in whole units in what spreadsheets read.
struct QueryFile {
    private let document: [String: JSONValue]
    private let format: TableFormat
    private let dimensions: [String]
    private let metrics: [[String: JSONValue]]
    private let rows: [JSONValue]
    private let hasTime: Bool
    private let hasEarlier: Bool

    init(_ document: JSONValue, _ format: TableFormat) {
        self.document = document.members ?? [:]
        self.format = format
        let columns = (self.document["columns"]?.elements ?? []).compactMap(\.members)
        dimensions = columns.filter { $0["type"] == "string" }.compactMap { $0["name"]?.text }
        metrics = columns.filter { $0["type"] != "string" }
        let found = self.document["rows"]?.elements ?? []
        rows = found.isEmpty && dimensions.isEmpty ? [self.document["totals"] ?? [:]] : found
        hasTime = rows.first?.members?["t"] != nil
        hasEarlier = rows.first?.members?["c"] != nil
    }

    /// Whether every group that there is has its rows.
    private var isComplete: Bool {
        let warnings = document["meta"]?.members?["warnings"]?.words ?? []
        return !warnings.contains { $0.contains(" groups are shown") }
    }

    private var hasMoney: Bool { metrics.contains { $0["type"] == "money" } }

    var names: [String] {
        let figures = metrics.compactMap { $0["name"]?.text }
        return (hasTime ? ["time"] : []) + dimensions + figures
            + (hasEarlier ? figures.map { "earlier_" + $0 } : []) + (hasMoney ? ["currency"] : [])
    }

    /// Every line with its end, the head first.
    var lines: [String] {
        let names = names
        let head = format.head(names)
        return (head.isEmpty ? [] : [head])
            + rows.map { format.line(cells($0.members ?? [:]), names) }
    }

    private func cells(_ row: [String: JSONValue]) -> [JSONValue] {
        let group = row["d"]?.elements ?? []
        let currency = currency(group)
        let figures = figures(row["m"], currency)
        return (hasTime ? [row["t"] ?? .null] : []) + group + figures
            + (hasEarlier ? self.figures(row["c"], currency) : [])
            + (hasMoney ? [currency.map(JSONValue.string) ?? .null] : [])
    }

    private func currency(_ group: [JSONValue]) -> String? {
        let place = dimensions.firstIndex(of: QueryDimension.currency)
        if let own = place.flatMap({ group[$0].text }) { return own }
        return metrics.lazy.compactMap { $0["currency"]?.text }.first
    }

    private func figures(_ values: JSONValue?, _ currency: String?) -> [JSONValue] {
        zip(metrics, values?.elements ?? metrics.map { _ in .null }).map { metric, value in
            guard format == .csv, metric["type"] == "money", let minor = value.whole,
                let currency
            else { return value }
            var unit = 1.0
            for _ in 0..<QueryMoney.decimals(currency) { unit *= 10 }
            return .number(Double(minor) / unit)
        }
    }

    /// Sent as it is written, a part of the rows at a time.
    func response(name: String) -> Response {
        let lines = lines
        let parts = stride(from: 0, to: lines.count, by: Self.linesAtOnce).lazy.map { start in
            let end = min(start + Self.linesAtOnce, lines.count)
            return ByteBuffer(string: lines[start..<end].joined())
        }
        var headers: HTTPFields = [
            .contentType: format.mediaType + "; charset=utf-8",
            .cacheControl: "private, no-store", .vary: "Accept",
            .contentDisposition: "attachment; filename=\"\(name).\(format.rawValue)\"",
        ]
        if let field = HTTPField.Name("HG-Complete") { headers[field] = "\(isComplete)" }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(contentsOf: Array(parts))
        )
    }

    private static let linesAtOnce = 500
}
