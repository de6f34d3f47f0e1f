import Bytes
import Companion
import Journal
import Records
import Settings
import Units

/// Finds an event in the part of the journal that PostgreSQL has not taken yet. Runs on the
/// companion's threads, each question with a reader of its own, and reads so much and no more.
struct JournalLookup: JournalSearch {
    /// Records read between two looks at the clock.
    private static let recordsPerStep = 4_096

    let progress: JournalProgress
    let openReader: @Sendable () -> JournalReader
    let time: TimeSource

    func find(_ event: EventName, behind positions: [UInt64]) -> JournalFinding {
        let bound = progress.committedSequence
        var search = EventSearch(event, behind: positions)
        let deadline = time.monotonicNanoseconds() + Int64(Limits.traceMilliseconds) * 1_000_000
        do throws(JournalError) {
            var reader = openReader()
            try begin(&reader, positions)
            var records = 0
            while search.isOpen {
                let step = try reader.read(upTo: bound, recordsMaximum: Self.recordsPerStep) {
                    search.look(at: $0)
                }
                records += step.records
                if step.isCaughtUp { return search.finding ?? .absent }
                if records >= Limits.traceRecordsMaximum { break }
                if time.monotonicNanoseconds() >= deadline { break }
            }
            return search.finding ?? .unknown
        } catch {
            return .unknown
        }
    }

    func firstReceived(behind positions: [UInt64]) -> JournalTail {
        var first: Int64?
        do throws(JournalError) {
            var reader = openReader()
            try begin(&reader, positions)
            while first == nil {
                let step = try reader.read(upTo: progress.committedSequence, recordsMaximum: 1) {
                    let header = $0.header
                    if header.offset > positions[Int(header.partition.index)] {
                        first = header.receivedAt
                    }
                }
                if step.isCaughtUp { break }
            }
        } catch {
            return .unknown
        }
        return first.map { .since($0) } ?? .nothing
    }

    private func begin(
        _ reader: inout JournalReader,
        _ positions: [UInt64]
    ) throws(JournalError) {
        do throws(JournalError) {
            try reader.seek(.offsets(positions.map { $0 + 1 }))
        } catch {
            // PostgreSQL is of another journal, or was emptied: everything there is, is behind it.
            guard error == .positionGone else { throw error }
            try reader.seek(.oldest)
        }
    }
}

/// The search of one event: a pure function of the records that it is shown.
private struct EventSearch {
    private let event: EventName
    private let positions: [UInt64]
    private(set) var finding: JournalFinding?

    init(_ event: EventName, behind positions: [UInt64]) {
        self.event = event
        self.positions = positions
    }

    /// Whether a better find is possible: an event that was taken is the best.
    var isOpen: Bool {
        guard case .found(let found) = finding else { return true }
        return found.isRepeat || found.refusal != nil
    }

    mutating func look(at record: JournalRecord) {
        let header = record.header
        guard isOpen, !record.isErased,
            header.offset > positions[Int(header.partition.index)]
        else { return }
        switch header.kind {
        case .slice: if let slice = Slice(record.payload) { look(at: slice, header) }
        case .rejected:
            if let rejection = Rejection(record.payload) { look(at: rejection, header) }
        case .erasure, .parting: break
        }
    }

    private mutating func look(at slice: Slice, _ header: RecordHeader) {
        guard matches(slice.site, event.site) else { return }
        let isWindow = event.window.map { matches(slice.window, $0) } ?? false
        slice.forEachEvent { index, found in
            let isWanted =
                found.messageID.isEmpty
                ? isWindow && found.number == event.number : matches(found.messageID, event.id)
            guard isWanted, isOpen else { return }
            let isRepeat = header.duplicates >> UInt64(index) & 1 == 1
            // Of several finds a taken event is the best, then its repeat.
            if isRepeat, case .found(let earlier) = finding, earlier.refusal == nil { return }
            finding = .found(
                JournaledEvent(
                    partition: header.partition.index,
                    offset: header.offset,
                    receivedAt: header.receivedAt,
                    consent: slice.consent.rawValue,
                    isRepeat: isRepeat,
                    isBot: slice.flags.contains(.bot),
                    refusal: nil
                )
            )
        }
    }

    private mutating func look(at rejection: Rejection, _ header: RecordHeader) {
        guard matches(rejection.id, event.id),
            rejection.site.isEmpty || matches(rejection.site, event.site), finding == nil
        else { return }
        finding = .found(
            JournaledEvent(
                partition: header.partition.index,
                offset: header.offset,
                receivedAt: header.receivedAt,
                consent: 0,
                isRepeat: false,
                isBot: false,
                refusal: .init(reason: rejection.reason.text, place: rejection.place.text)
            )
        )
    }

    private func matches(_ bytes: ByteView, _ text: String) -> Bool {
        bytes.count == text.utf8.count && bytes.buffer.elementsEqual(text.utf8)
    }
}
