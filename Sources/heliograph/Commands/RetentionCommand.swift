import ArgumentParser
import Settings
import Storage

/// `heliograph retention`
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Show the oldest row of each store beside how old it may be.",
        discussion: """
            The engine takes away what is older, within a day for what is kept by day and within an hour \
            for the rest. Status 0: nothing is older than it may be. 1: something is. 2: it cannot be said.
            """
    )

    @OptionGroup var place: EnginePlace

    @Flag(help: "Print the result as JSON.")
    var json = false

    struct Row: Encodable {
        let store: String
        let oldestDays: Double
        let keptDays: Int?
        let isTooOld: Bool
    }

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let rows = try RightsArchive(conninfo: stores.conninfo).oldestRows()
                .map { row($0.store, $0.days, stores.settings.retention) }
                .sorted { $0.store < $1.store }
            Console.line(json ? rows.jsonText : rows.map(text).joined(separator: "\n"))
            if rows.contains(where: \.isTooOld) { throw ExitCode(1) }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Console.fail("ages cannot be told: \(error)", status: 2)
        }
    }

    private func row(
        _ store: String,
        _ days: Double,
        _ settings: HeliographSettings.Retention
    ) -> Row {
        let kept: [String: Int] = [
            "events": settings.eventDays, "rejected": settings.rejectedDays,
            "sessions": settings.sessionDays, "touches": settings.sessionDays,
            "conversions": settings.sessionDays, "contacts": settings.sessionDays,
            "score_history": settings.scoreHistoryDays, "deliveries": settings.deliveryDays,
            "delivery_payloads": Limits.deliveryPayloadDays, "erasures": Limits.proofDays,
        ]
        // Days go as a whole, and the first of them is kept to its end.
        let isByDay = store == "events" || store == "rejected"
        let isTooOld = kept[store].map { days > Double($0) + (isByDay ? 1.1 : 0.1) } ?? false
        return Row(store: store, oldestDays: days, keptDays: kept[store], isTooOld: isTooOld)
    }

    private func text(_ row: Row) -> String {
        let oldest = (row.oldestDays * 10).rounded() / 10
        let kept = row.keptDays.map { "kept \($0)" } ?? "no rule"
        return "\(row.store): oldest \(oldest) days, \(kept)\(row.isTooOld ? ", TOO OLD" : "")"
    }
}
