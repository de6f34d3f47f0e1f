import Bytes
import Companion
import Journal
import Records
import Scoring
import Storage
import Units

/// One thing that was compared: how often, and where it differed.
struct VerifiedPart: Encodable {
    static let examplesMaximum = 10

    let name: String
    private(set) var compared = 0
    private(set) var different = 0
    private(set) var examples: [String] = []

    init(_ name: String) { self.name = name }

    mutating func agree(_ count: Int = 1) { compared += count }

    mutating func differ(_ example: @autoclosure () -> String) {
        compared += 1
        different += 1
        if examples.count < Self.examplesMaximum { examples.append(example()) }
    }
}

/// Rows by partition as the journal demands them and as PostgreSQL has them: a count and an
/// order-free sum of fingerprints each, so that any number of rows fits in memory.
struct RowSums {
    private var counts = [Int](repeating: 0, count: Partition.count)
    private var sums = [UInt64](repeating: 0, count: Partition.count)

    mutating func add(_ partition: Partition, _ fingerprint: UInt64) {
        counts[Int(partition.index)] += 1
        sums[Int(partition.index)] &+= fingerprint
    }

    func compare(_ stored: RowSums, _ part: inout VerifiedPart) {
        for index in 0..<Partition.count {
            if counts[index] == stored.counts[index], sums[index] == stored.sums[index] {
                part.agree(counts[index])
            } else if counts[index] != stored.counts[index] {
                part.differ(
                    "partition \(index): the journal has \(counts[index]), PostgreSQL "
                        + "\(stored.counts[index])"
                )
            } else {
                part.differ("partition \(index): \(counts[index]) rows, some of them altered")
            }
        }
    }
}

/// The rows of PostgreSQL held against what folding the journal demands.
struct ArchiveVerification: ~Copyable {
    private struct SessionKey: Hashable {
        let site: ShortText
        let session: ShortText
    }

    private let positions: [UInt64]
    private let base: [UInt64]
    private let isWhole: Bool
    private let historyBegins: [UInt64]
    private var fingerprint = EventFingerprint()
    private var events = RowSums()
    private var history = RowSums()
    private var sessions: [SessionKey: SessionChange] = [:]

    /// Records in (`base`, `positions`] are compared, their history beyond `historyBegins`. `isWhole`
    /// says that the fold began at the beginning.
    init(positions: [UInt64], base: [UInt64], historyBegins: [UInt64], isWhole: Bool) {
        (self.positions, self.base, self.isWhole) = (positions, base, isWhole)
        self.historyBegins = historyBegins
    }

    private func isCompared(_ position: Position) -> Bool {
        let index = Int(position.partition.index)
        return position.offset > base[index] && position.offset <= positions[index]
    }

    mutating func take(_ step: OfflineFold.Step) {
        let (header, slice, effect) = (step.header, step.slice, step.effect)
        guard header.offset <= positions[Int(header.partition.index)], effect.eventsFolded > 0
        else { return }
        merge(effect.session)
        guard isCompared(header.position) else { return }
        addEvents(header, slice, effect.session)
        addHistory(header, slice, HistoryGain(effect, step.model))
    }

    private mutating func addHistory(
        _ header: RecordHeader,
        _ slice: Slice,
        _ gain: HistoryGain?
    ) {
        guard let gain, isExplained(header.position) else { return }
        gain.forEachPoint { point in
            let print = fingerprint.of(
                point,
                header.position,
                isBot: slice.flags.contains(.bot),
                site: slice.site,
                visitor: slice.visitor,
                model: gain.model
            )
            history.add(header.partition, print)
        }
    }

    private func isExplained(_ position: Position) -> Bool {
        position.offset > historyBegins[Int(position.partition.index)]
    }

    private mutating func addEvents(
        _ header: RecordHeader,
        _ slice: Slice,
        _ change: SessionChange
    ) {
        let session = change.session
        slice.forEachEvent { index, event in
            guard header.duplicates >> UInt64(index) & 1 == 0 else { return }
            let print = session.withBytes { text in
                fingerprint.of(
                    event,
                    header,
                    slice,
                    session: text.isEmpty ? slice.session : text
                )
            }
            events.add(header.partition, print)
        }
    }

    private mutating func merge(_ change: SessionChange) {
        guard !change.session.isEmpty, change.events != 0 else { return }
        let key = SessionKey(site: change.site, session: change.session)
        if sessions[key]?.merge(change) == nil { sessions[key] = change }
    }

    /// Reads PostgreSQL and compares.
    mutating func finish(_ rows: EventRows) throws -> [VerifiedPart] {
        var parts = [VerifiedPart("event rows"), VerifiedPart("score history")]
        var stored = RowSums()
        try rows.fingerprints { if isCompared($0) { stored.add($0.partition, $1) } }
        events.compare(stored, &parts[0])
        stored = RowSums()
        try rows.historyFingerprints { position, print in
            guard isCompared(position), isExplained(position) else { return }
            stored.add(position.partition, print)
        }
        history.compare(stored, &parts[1])
        parts.append(try compareSessions(rows))
        return parts
    }

    private mutating func compareSessions(_ rows: EventRows) throws -> VerifiedPart {
        var part = VerifiedPart("session rows")
        try rows.sessions { row in
            let key = SessionKey(site: row.site, session: row.session)
            guard let folded = sessions.removeValue(forKey: key) else {
                if isWhole { part.differ("session \(row.session.text): of no event") }
                return
            }
            // A session that began before the fold did is known in part only.
            if !isWhole, row.startedAt < folded.startedAt { return }
            if folded.agrees(with: row) {
                part.agree()
            } else {
                part.differ("session \(row.session.text): \(row.figures), not \(folded.figures)")
            }
        }
        for session in sessions.values {
            part.differ("session \(session.session.text): no row")
        }
        return part
    }
}

extension SessionChange {
    fileprivate func agrees(with other: SessionChange) -> Bool {
        visitor == other.visitor && startedAt == other.startedAt && endedAt == other.endedAt
            && events == other.events && pageViews == other.pageViews && bot == other.bot
            && activeMilliseconds == other.activeMilliseconds
            && scoreMaximum.bitPattern == other.scoreMaximum.bitPattern
    }

    fileprivate var figures: String {
        "\(events) events, \(pageViews) page views, \(activeMilliseconds) ms active, "
            + "score up to \(scoreMaximum), \(startedAt) to \(endedAt)"
    }
}
