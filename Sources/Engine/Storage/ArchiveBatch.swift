import Bytes
public import Records
import Units

/// What one transaction will carry: event rows by day, history rows, merged session changes, and how
/// far each partition moves.
///
/// Invariants: rows and positions only grow until `reset`; a record at or below the partition's
/// position adds nothing; either a whole record is in the batch or nothing of it is. Owned by the
/// archive's thread. Buffers are kept between batches, so that the steady state allocates nothing.
struct ArchiveBatch: ~Copyable {
    /// Rows of one day, ready for COPY.
    final class DayRows {
        /// Days since 1970-01-01.
        var day: Int32
        var rows = ByteBuffer(
            capacity: 64 * 1024,
            limit: StorageLimits.archiveBatchBytesMaximum * 2
        )

        init(day: Int32) { self.day = day }
    }

    private struct SessionKey: Hashable {
        let site: ShortText
        let session: ShortText
    }

    private(set) var days: [DayRows] = []
    /// Rows of what was refused, by day.
    private(set) var rejectedDays: [DayRows] = []
    private var spareDays: [DayRows] = []
    private(set) var historyRows = ByteBuffer(
        capacity: 16 * 1024,
        limit: StorageLimits.archiveBatchBytesMaximum * 2
    )
    /// Withdrawals of consent that leave no row of an event.
    private(set) var withdrawalRows = ByteBuffer(
        capacity: 1024,
        limit: StorageLimits.archiveBatchBytesMaximum * 2
    )
    /// Who became part of a person, or no longer is.
    private(set) var linkRows = ByteBuffer(
        capacity: 1024,
        limit: StorageLimits.archiveBatchBytesMaximum * 2
    )
    /// Conversions, touches and sealed blocks.
    private(set) var gains = GainRows()
    /// What visitors chose.
    private(set) var choiceRows = ByteBuffer(
        capacity: 1024,
        limit: StorageLimits.archiveBatchBytesMaximum * 2
    )
    private(set) var choices: [ConsentChoice] = []
    /// What figures of whole days have to be worked out again.
    private(set) var stale = StaleQuarters()
    private(set) var sessions: [SessionChange] = []
    private var sessionIndexes: [SessionKey: Int] = [:]
    /// Partitions that the batch moves, in order of first appearance.
    private(set) var moved: [Partition] = []
    private var targets = [UInt64](repeating: 0, count: Partition.count)
    private(set) var eventCount = 0
    private(set) var historyCount = 0
    private(set) var rejectedCount = 0
    private var eventBytes = 0
    private var rejectedBytes = 0

    var isEmpty: Bool { moved.isEmpty }

    var bytes: Int {
        eventBytes + historyRows.count + withdrawalRows.count + choiceRows.count + rejectedBytes
            + gains.bytes + linkRows.count
    }

    /// Where the partition will stand; nil when the batch does not move it.
    func target(_ partition: Partition) -> UInt64? {
        let offset = targets[Int(partition.index)]
        return offset == 0 ? nil : offset
    }

    mutating func advance(_ position: Position) {
        let index = Int(position.partition.index)
        if targets[index] == 0 { moved.append(position.partition) }
        targets[index] = max(targets[index], position.offset)
    }

    /// Whether a record still fits. An empty batch takes any record.
    func hasRoom(_ header: RecordHeader, _ slice: Slice) -> Bool {
        if isEmpty { return true }
        let idBytes = 512 + slice.context.count
        let wanted = header.payloadLength + slice.eventCount * idBytes
        let day = PostgresTime.day(epochMilliseconds: header.receivedAt)
        return bytes + wanted <= StorageLimits.archiveBatchBytesMaximum
            && sessions.count < StorageLimits.archiveBatchSessionsMaximum
            && (days.count < StorageLimits.archiveBatchDaysMaximum
                || days.contains { $0.day == day })
    }

    /// Whether a rejection still fits. An empty batch takes any record.
    func hasRoomForRejection(_ header: RecordHeader) -> Bool {
        if isEmpty { return true }
        let day = PostgresTime.day(epochMilliseconds: header.receivedAt)
        return bytes + header.payloadLength + 512 <= StorageLimits.archiveBatchBytesMaximum
            && (rejectedDays.count < StorageLimits.archiveBatchDaysMaximum
                || rejectedDays.contains { $0.day == day })
    }

    mutating func add(_ header: RecordHeader, _ rejection: Rejection) {
        let day = PostgresTime.day(epochMilliseconds: header.receivedAt)
        let target = Self.rows(of: day, in: &rejectedDays, spare: &spareDays)
        let before = target.rows.count
        Self.append(rejection, header, to: &target.rows)
        invariant(!target.rows.overflowed, "a batch outgrew a limit that was checked before")
        rejectedCount &+= 1
        rejectedBytes &+= target.rows.count &- before
        advance(header.position)
    }

    /// The fields in the order of `DayTable.rejectedColumns`.
    private static func append(
        _ rejection: Rejection,
        _ header: RecordHeader,
        to rows: inout ByteBuffer
    ) {
        rows.append(bigEndian: DayTable.rejectedColumnCount)
        rows.timeField(epochMilliseconds: header.receivedAt)
        rows.field(Int64(bitPattern: header.offset))
        rows.field(Int16(header.partition.index))
        rows.field(Int16(rejection.flags.rawValue))
        rows.field(Int32(clamping: rejection.originalLength))
        rows.field(rejection.reason)
        rows.field(rejection.place)
        rows.fieldOrNull(rejection.site)
        rows.fieldOrNull(rejection.key)
        rows.field(ByteView(rejection.format.name))
        rows.field(rejection.path)
        rows.fieldOrNull(rejection.id)
        rows.fieldOrNull(rejection.address)
        rows.fieldOrNull(rejection.userAgent)
        rows.field(rejection.bytes)
    }

    mutating func add(
        _ header: RecordHeader,
        _ slice: Slice,
        _ change: SessionChange,
        _ history: HistoryGain?,
        _ gains: RecordGains?
    ) {
        addEvents(header, slice, change)
        addGains(header, slice, change, gains)
        merge(change)
        if let history {
            history.forEachPoint { addHistory(header, slice, $0, history.model) }
        }
        addChoices(header, slice)
        advance(header.position)
    }

    private mutating func addEvents(
        _ header: RecordHeader,
        _ slice: Slice,
        _ change: SessionChange
    ) {
        let repeats = header.duplicates
        let day = PostgresTime.day(epochMilliseconds: header.receivedAt)
        let target = Self.rows(of: day, in: &days, spare: &spareDays)
        let before = target.rows.count
        var added = 0
        let site = ShortText(slice.site) ?? ShortText()
        change.session.withBytes { session in
            let name = session.isEmpty ? slice.session : session
            slice.forEachEvent { index, event in
                if repeats >> UInt64(index) & 1 == 0 {
                    Self.append(event, header, slice, session: name, to: &target.rows)
                    target.rows.field(RowFlags(slice, event, at: index).rawValue)
                    stale.add(site, event.occurredAt)
                    added &+= 1
                }
            }
        }
        invariant(!target.rows.overflowed, "a batch outgrew a limit that was checked before")
        eventCount &+= added
        eventBytes &+= target.rows.count &- before
    }

    private mutating func addGains(
        _ header: RecordHeader,
        _ slice: Slice,
        _ change: SessionChange,
        _ found: RecordGains?
    ) {
        if found == nil, slice.sealedParts.isEmpty { return }
        change.session.withBytes { session in
            let name = session.isEmpty ? slice.session : session
            gains.add(header, slice, session: name, found)
        }
        for row in found?.conversions ?? [] { stale.add(slice.site, row.occurredAt) }
    }

    private static func rows(
        of day: Int32,
        in days: inout [DayRows],
        spare: inout [DayRows]
    ) -> DayRows {
        for rows in days where rows.day == day { return rows }
        let rows = spare.popLast() ?? DayRows(day: day)
        rows.day = day
        days.append(rows)
        return rows
    }

    /// The fields in the order of `DayTable.eventColumns`, but for the last.
    private static func append(
        _ event: SliceEvent,
        _ header: RecordHeader,
        _ slice: Slice,
        session: ByteView,
        to rows: inout ByteBuffer
    ) {
        rows.append(bigEndian: DayTable.eventColumnCount)
        rows.field(Int64(event.number))
        rows.timeField(epochMilliseconds: event.occurredAt)
        rows.timeField(epochMilliseconds: header.receivedAt)
        rows.field(Int64(bitPattern: header.offset))
        rows.field(Int32(event.page))
        rows.field(Int16(header.partition.index))
        rows.field(Int16(slice.consent.rawValue))
        rows.field(slice.flags.contains(.bot))
        rows.field(slice.site)
        rows.field(slice.visitor)
        rows.fieldOrNull(session)
        rows.fieldOrNull(slice.window)
        rows.fieldOrNull(event.messageID)
        rows.fieldOrNull(slice.user)
        rows.append(bigEndian: Int32(2))
        rows.append(code: event.kind)
        rows.fieldOrNull(event.name)
        rows.fieldOrNull(slice.address)
        rows.jsonFieldOrNull(slice.context)
        rows.jsonField(event.properties.isEmpty ? ByteView("{}") : event.properties)
    }

    /// Of a record that is in the batch already.
    mutating func addLink(_ header: RecordHeader, _ effect: FoldEffect) {
        LinkRows.append(header, effect, to: &linkRows)
    }

    /// Of a record that tells nothing else.
    mutating func addParting(_ header: RecordHeader, _ effect: FoldEffect) {
        addLink(header, effect)
        advance(header.position)
    }

    /// The fields in the order of `ArchiveStatements.copyWithdrawals`.
    mutating func addWithdrawal(_ header: RecordHeader, _ slice: Slice) {
        withdrawalRows.append(bigEndian: ArchiveStatements.withdrawalColumnCount)
        withdrawalRows.timeField(epochMilliseconds: header.receivedAt)
        withdrawalRows.field(Int64(bitPattern: header.offset))
        withdrawalRows.field(Int16(header.partition.index))
        withdrawalRows.field(slice.site)
        withdrawalRows.field(slice.visitor)
        addChoices(header, slice)
        advance(header.position)
    }

    /// A row for each consent event that is no repeat.
    private mutating func addChoices(_ header: RecordHeader, _ slice: Slice) {
        slice.forEachEvent { index, event in
            guard event.kind == .consent, header.duplicates >> UInt64(index) & 1 == 0 else {
                return
            }
            let choice = ConsentChoice(event, slice)
            choice.append(header, slice, event, to: &choiceRows)
            choices.append(choice)
        }
    }

    private mutating func merge(_ change: SessionChange) {
        guard !change.session.isEmpty, change.events != 0 else { return }
        let key = SessionKey(site: change.site, session: change.session)
        guard let index = sessionIndexes[key] else {
            sessionIndexes[key] = sessions.count
            sessions.append(change)
            return
        }
        sessions[index].merge(change)
    }

    private mutating func addHistory(
        _ header: RecordHeader,
        _ slice: Slice,
        _ point: HistoryPoint,
        _ model: ModelTag
    ) {
        historyCount &+= 1
        stale.add(slice.site, point.reading.updatedAt)
        HistoryRows.append(point, header, slice, model, to: &historyRows)
    }

    /// Forgets the content, keeps the memory.
    mutating func reset() {
        for rows in days { rows.rows.reset() }
        for rows in rejectedDays { rows.rows.reset() }
        spareDays.append(contentsOf: days)
        spareDays.append(contentsOf: rejectedDays)
        days.removeAll(keepingCapacity: true)
        rejectedDays.removeAll(keepingCapacity: true)
        historyRows.reset()
        withdrawalRows.reset()
        gains.reset()
        choiceRows.reset()
        linkRows.reset()
        stale.reset()
        choices.removeAll(keepingCapacity: true)
        sessions.removeAll(keepingCapacity: true)
        sessionIndexes.removeAll(keepingCapacity: true)
        for partition in moved { targets[Int(partition.index)] = 0 }
        moved.removeAll(keepingCapacity: true)
        (eventCount, historyCount, eventBytes) = (0, 0, 0)
        (rejectedCount, rejectedBytes) = (0, 0)
    }
}

extension ByteBuffer {
    /// The two letters of an event's type, without a String in between.
    fileprivate mutating func append(code kind: EventKind) {
        switch kind {
        case .pageView: append("pv")
        case .pageSummary: append("ps")
        case .click: append("ck")
        case .form: append("fm")
        case .navigation: append("nv")
        case .identify: append("id")
        case .consent: append("cs")
        case .custom: append("cu")
        }
    }
}

extension SessionChange {
    /// Takes another change of the same session in: least, greatest and sum.
    public mutating func merge(_ other: SessionChange) {
        startedAt = min(startedAt, other.startedAt)
        endedAt = max(endedAt, other.endedAt)
        events &+= other.events
        pageViews &+= other.pageViews
        activeMilliseconds &+= other.activeMilliseconds
        scoreMaximum = max(scoreMaximum, other.scoreMaximum)
        bot = bot || other.bot
    }
}
