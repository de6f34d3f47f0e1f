import Telemetry

/// Finds an event: in PostgreSQL, in the part of the journal that PostgreSQL lacks, or among what was
/// refused; and says how far it has come by where the stores stand.
struct EventTracer: Sendable {
    let archive: ArchiveReaders
    let redis: RedisReaders
    let keys: LiveKeys
    let journal: (any JournalSearch)?

    /// The trace of an event. Throws a problem that says what was searched when it is nowhere.
    func trace(_ name: EventName) async throws -> TraceDocument {
        let answers = try await archive.ask(Self.questions(name))
        if let row = answers[0].first, let facts = Self.stored(row) {
            return try await document(name, facts)
        }
        let positions = Self.positions(answers[2])
        let finding = try await look(name, behind: positions)
        if case .found(let event) = finding, event.refusal == nil {
            return try await document(name, EventFacts(event))
        }
        if let row = answers[1].first, let facts = Self.refused(row) {
            return facts.document(name, scored: nil)
        }
        if case .found(let event) = finding {
            return EventFacts(event).document(name, scored: nil)
        }
        throw notFound(name, finding)
    }

    private func document(_ name: EventName, _ facts: EventFacts) async throws -> TraceDocument {
        let key = keys.position(facts.partition)
        // A Redis that is away says nothing; the rest of the trace is worth showing.
        let reply = try? await redis.ask([["GET", key]])
        return facts.document(name, scored: reply?.first?.text.flatMap(UInt64.init))
    }

    private func look(
        _ name: EventName,
        behind positions: [UInt64]
    ) async throws -> JournalFinding {
        guard let journal else { return .unknown }
        return try await archive.run { journal.find(name, behind: positions) }
    }

    private func notFound(_ name: EventName, _ finding: JournalFinding) -> ApiProblem {
        let journal: String
        switch (self.journal, finding) {
        case (nil, _): journal = "; the journal is not on this machine and was not searched"
        case (_, .unknown): journal = "; the journal's newest part could not be searched whole"
        default: journal = ", in the journal's part that is not stored yet"
        }
        return .notFound(
            "No event \(name.id) of site \(name.site) in PostgreSQL\(journal), nor among the "
                + "refused events that are kept. It may never have arrived, be older than what is "
                + "kept, or have come without consent to be stored."
        )
    }

    // MARK: - PostgreSQL

    /// The event, the refused event, and the positions, all of one moment: what is behind the
    /// positions then is in the journal.
    private static func questions(_ name: EventName) -> [ArchiveQuery] {
        let number = String(name.number)
        return [
            name.window == nil
                ? ArchiveQuery(byMessageID, [name.site, name.id])
                : ArchiveQuery(byEither, [name.site, name.id, name.window, number]),
            ArchiveQuery(refusedByID, [name.site, name.id]), ArchiveQuery(allPositions),
        ]
    }

    // `site || ''` keeps the planner from the index by site and visitor, which would read a whole site.
    private static let byMessageID: StaticString = """
        SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, consent,
            bot
        FROM heliograph.event WHERE message_id = $2 AND site || '' = $1 LIMIT 1
        """

    private static let byEither: StaticString = """
        (SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, consent,
            bot
        FROM heliograph.event WHERE window_id = $3 AND n = $4::bigint AND site || '' = $1 LIMIT 1)
        UNION ALL
        (SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, consent,
            bot
        FROM heliograph.event WHERE message_id = $2 AND site || '' = $1 LIMIT 1)
        """

    private static let refusedByID: StaticString = """
        SELECT partition, journal_offset, (extract(epoch FROM received_at) * 1000)::bigint, reason,
            place, (extract(epoch FROM replayed_at) * 1000)::bigint, outcome
        FROM heliograph.rejected_event
        WHERE event_id = $2 AND (site = $1 OR site IS NULL)
        ORDER BY received_at DESC LIMIT 1
        """

    /// Where each partition stands.
    static let allPositions: StaticString = """
        SELECT partition, "offset" FROM heliograph.position
        """

    private static func stored(_ row: ArchiveRow) -> EventFacts? {
        guard let partition = row[0].flatMap(UInt8.init), let offset = row[1].flatMap(UInt64.init),
            let receivedAt = row[2].flatMap(Int64.init), let consent = row[3].flatMap(UInt8.init)
        else { return nil }
        var facts = EventFacts(
            partition: partition,
            offset: offset,
            receivedAt: receivedAt,
            consent: consent
        )
        facts.isBot = row[4] == "t"
        return facts
    }

    private static func refused(_ row: ArchiveRow) -> EventFacts? {
        guard let partition = row[0].flatMap(UInt8.init), let offset = row[1].flatMap(UInt64.init),
            let receivedAt = row[2].flatMap(Int64.init), let reason = row[3], let place = row[4]
        else { return nil }
        var facts = EventFacts(
            partition: partition,
            offset: offset,
            receivedAt: receivedAt,
            consent: 0
        )
        facts.refusal = JournaledEvent.Refusal(reason: reason, place: place)
        if let at = row[5].flatMap(Int64.init) {
            facts.replay = EventFacts.Replay(
                at: RFC3339.text(epochMilliseconds: at),
                outcome: row[6] ?? ""
            )
        }
        return facts
    }

    /// Rows of `allPositions` by partition.
    static func positions(_ rows: [ArchiveRow]) -> [UInt64] {
        var positions = [UInt64](repeating: 0, count: 256)
        for row in rows {
            guard let index = row[0].flatMap(UInt8.init), let offset = row[1].flatMap(UInt64.init)
            else { continue }
            positions[Int(index)] = offset
        }
        return positions
    }
}
