import ArgumentParser
import Settings
import Storage

/// `heliograph retention`
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Show the oldest row of each store beside how old it may be.",
        discussion: """
            The engine takes away what is older, within a day for what is kept by day and within two \
            hours for the rest, first an hour after its start; --apply does it at once, by this machine's \
            clock. Status 0: nothing is older than it may be. 1: something is. 2: it cannot be said.
            """
    )

    @OptionGroup var place: EnginePlace

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Take away what is too old, now.")
    var apply = false

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
            let archive = try RightsArchive(conninfo: stores.conninfo)
            if apply { try takeAway(archive, stores) }
            let rows = try archive.oldestRows()
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

    /// What the engine does once an hour.
    private func takeAway(_ archive: RightsArchive, _ stores: DataStores) throws {
        let (settings, today) = (stores.settings.retention, Int32(Moment.now / 86_400_000))
        try archive.retain(RowRetention(settings))
        let days = ArchiveWriter(conninfo: stores.conninfo)
        _ = try days.dropRejected(before: today - Int32(settings.rejectedDays))
        _ = try days.dropEvents(before: today - Int32(settings.eventDays))
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
