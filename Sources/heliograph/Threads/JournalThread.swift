import Admission
import Bytes
import Journal
import Loop
import Privacy
import Records
import Rings
import Telemetry
import Units

/// Gathers what the listeners bring, makes it durable, acknowledges it, and routes it to the workers.
///
/// The cycle: take from every ring what is there now, one write and one `fdatasync` for all of it,
/// then answer, then route. While the disk works the next group gathers in the rings, so groups grow
/// by themselves under load. Everything here belongs to the journal's thread.
final class JournalThread {
    /// What ties the journal to one listener.
    struct ListenerLink {
        let fromListener: Owned<RingConsumer>
        let toListener: Owned<RingProducer>
        let waker: Waker
    }

    private struct Pending: BitwiseCopyable {
        let listener: Int32
        let answer: JournalAnswer
        let connection: UInt64
        let segment: UInt64
        let endByte: UInt64
    }

    private var writer: JournalWriter
    private let listeners: [ListenerLink]
    private let workers: [Owned<RecordSender>]
    private let progress: JournalProgress
    private let suppressed: SuppressedSubjects?
    private let stop: StopSignal
    private let counters: CounterBlock
    private let syncs: LatencyHistogram
    private let time: TimeSource
    /// Answers of the group being gathered; reused.
    private var pending: [Pending] = []
    /// Records of the group whose score somebody waits for, by sequence; nearly always none.
    private var tickets: [(sequence: UInt64, ticket: ScoreTicket)] = []
    private var duplicates = 0
    /// Rejections of the group being gathered, for which nobody waits.
    private var rejections = 0
    /// Whether a listener gets an answer in this group, by its number; the others are let sleep.
    private var isAnswered: [Bool]
    private let onFailure: @Sendable (JournalError) -> Void
    private let onProblem: @Sendable (String) -> Void
    private var upkeep: JournalUpkeep

    init(
        writer: consuming JournalWriter,
        listeners: [ListenerLink],
        workers: [Owned<RecordSender>],
        progress: JournalProgress,
        suppressed: SuppressedSubjects? = nil,
        retention: RetentionBoards,
        stop: StopSignal,
        metrics: Metrics,
        time: TimeSource,
        onFailure: @escaping @Sendable (JournalError) -> Void,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        self.writer = writer
        self.listeners = listeners
        isAnswered = listeners.map { _ in false }
        self.workers = workers
        self.progress = progress
        self.suppressed = suppressed
        self.stop = stop
        self.time = time
        self.onFailure = onFailure
        self.onProblem = onProblem
        upkeep = JournalUpkeep(
            boards: retention,
            recovery: self.writer.recovery,
            nowNanoseconds: time.monotonicNanoseconds()
        )
        counters = metrics.makeBlock(thread: "hg-journal")
        syncs = metrics.makeHistogram(.journalSync, thread: "hg-journal")
        pending.reserveCapacity(4096)
        tickets.reserveCapacity(256)
        counters.add(.journalDamage, self.writer.recovery.damage.count)
    }

    /// Works until it is asked to stop and every ring is empty.
    func run() {
        while true {
            switch turn() {
            case .worked: continue
            case .failed: return
            case .idle: break
            }
            if stop.isRequested { return conclude() }
            stop.waker.prepareToSleep()
            if hasWork() || stop.isRequested {
                stop.waker.stayAwake()
            } else {
                stop.waker.sleep(timeoutMilliseconds: 1_000)
            }
            keepUp()
        }
    }

    /// What one turn did.
    enum Turn {
        case worked, idle, failed
    }

    /// One group, if there is anything to gather.
    func turn() -> Turn {
        guard gather() > 0 else { return .idle }
        guard commit() else { return .failed }
        keepUp()
        return .worked
    }

    /// The last act: a deduplication checkpoint, so that the next start need not read the journal.
    func conclude() {
        do { try writer.saveDeduplication() } catch {
            onProblem("the deduplication state could not be saved: \(error)")
        }
    }

    /// Between groups: retention and the deduplication checkpoint when they are due, and gauges.
    func keepUp() {
        do throws(JournalError) {
            try upkeep.run(&writer, nowNanoseconds: time.monotonicNanoseconds())
        } catch {
            // Now, and not with the next beacon: until then we would call ourselves ready.
            if writer.hasStopped { return onFailure(error) }
            onProblem("the journal could not be tidied up: \(error)")
        }
        publishGauges()
    }

    private func hasWork() -> Bool {
        for link in listeners where !link.fromListener.value.isEmpty() { return true }
        return false
    }

    // MARK: - Gather

    private func gather() -> Int {
        for (index, link) in listeners.enumerated() {
            link.fromListener.value.drainWhile(limit: .max) { frame in
                if frame.kind == ListenerMessage.rejection.rawValue { return keep(frame) }
                if frame.kind == ListenerMessage.erasure.rawValue {
                    return order(.erasure, frame, from: Int32(index))
                }
                if frame.kind == ListenerMessage.parting.rawValue {
                    return order(.parting, frame, from: Int32(index))
                }
                return append(frame, from: Int32(index))
            }
        }
        return pending.count + rejections
    }

    /// False when the group is full: the message stays in its ring for the next group.
    private func append(_ frame: Frame, from listener: Int32) -> Bool {
        let partition = Partition(UInt8(truncatingIfNeeded: frame.third))
        if isSuppressed(frame) {
            note(.durable, frame, listener)
            return true
        }
        do {
            let appended = try writer.append(
                partition: partition,
                receivedAt: Int64(bitPattern: frame.second),
                payload: frame.body
            )
            duplicates += appended.duplicates.nonzeroBitCount
            note(.durable, frame, listener, appended.segment, appended.endByte)
            let ticket = ScoreTicket(listener: Int(listener), number: frame.third >> 8)
            if ticket.isAny { tickets.append((appended.sequence, ticket)) }
        } catch {
            switch error {
            case .groupFull: return false
            case .full: note(.full, frame, listener)
            case .windowTooScattered: note(.tooScattered, frame, listener)
            case .recordTooLarge: note(.tooLarge, frame, listener)
            default:
                onFailure(error)
                return false
            }
        }
        return true
    }

    /// Whether the slice is of somebody of whom nothing may be taken: counted, answered, and let go. This
    /// is the one place that all senders pass, in the order of the journal.
    private func isSuppressed(_ frame: Frame) -> Bool {
        guard let suppressed, !suppressed.isEmpty, let slice = Slice(frame.body),
            suppressed.covers(site: slice.site, visitor: slice.visitor, user: slice.user)
        else { return false }
        counters.add(.subjectErased, slice.eventCount)
        return true
    }

    private func isSuppressed(rejection frame: Frame) -> Bool {
        guard let suppressed, !suppressed.isEmpty, let rejection = Rejection(frame.body),
            suppressed.isMentioned(in: rejection.bytes, site: rejection.site)
        else { return false }
        counters.add(.rejectionsNotKept)
        return true
    }

    /// Appends an erasure or a parting, for which the eraser waits.
    private func order(
        _ kind: RecordHeader.Kind,
        _ frame: Frame,
        from listener: Int32
    ) -> Bool {
        do {
            let appended = try writer.append(
                kind: kind,
                partition: Partition(UInt8(truncatingIfNeeded: frame.third)),
                receivedAt: Int64(bitPattern: frame.second),
                payload: frame.body
            )
            note(.durable, frame, listener, appended.sequence, Int(appended.position.offset))
        } catch JournalError.groupFull {
            return false
        } catch JournalError.full {
            note(.full, frame, listener)
        } catch {
            onFailure(error)
            return false
        }
        return true
    }

    /// Appends what was refused. It never takes room that events may need: while the disk budget is
    /// nearly spent, and when it cannot be written, it is counted and let go.
    private func keep(_ frame: Frame) -> Bool {
        if isSuppressed(rejection: frame) { return true }
        do {
            let gauges = writer.gauges
            guard gauges.diskBytesUsed <= gauges.diskBytesMaximum / 4 * 3 else {
                throw JournalError.full
            }
            _ = try writer.append(
                kind: .rejected,
                partition: Partition(UInt8(truncatingIfNeeded: frame.third)),
                receivedAt: Int64(bitPattern: frame.second),
                payload: frame.body
            )
            rejections += 1
            counters.add(.rejectionsKept)
        } catch JournalError.groupFull {
            return false
        } catch {
            counters.add(.rejectionsNotKept)
        }
        return true
    }

    private func note(
        _ answer: JournalAnswer,
        _ frame: Frame,
        _ listener: Int32,
        _ segment: UInt64 = 0,
        _ endByte: Int = 0
    ) {
        pending.append(
            Pending(
                listener: listener,
                answer: answer,
                connection: frame.first,
                segment: segment,
                endByte: UInt64(endByte)
            )
        )
    }

    // MARK: - Commit, answer, route

    private func commit() -> Bool {
        let bytes = writer.bytesPending
        let records = writer.groupRecords
        if bytes > 0 {
            let begun = time.monotonicNanoseconds()
            do {
                try writer.commit()
            } catch {
                onFailure(error)
                return false
            }
            syncs.record(nanoseconds: time.monotonicNanoseconds() - begun)
            progress.publish(writer.committedSequence)
            counters.add(.journalGroups)
            counters.add(.journalRecords, records)
            counters.add(.journalBytes, bytes)
            counters.add(.eventsDuplicate, duplicates)
        }
        (duplicates, rejections) = (0, 0)
        answer()
        if bytes > 0 { route() }
        return true
    }

    private func answer() {
        for item in pending {
            let link = listeners[Int(item.listener)]
            let pushed = link.toListener.value.push(
                kind: item.answer.rawValue,
                first: item.connection,
                second: item.segment,
                third: item.endByte,
                body: .empty
            )
            // The ring holds more answers than the listener has connections, each with one request.
            invariant(pushed, "the answer ring is smaller than the number of connections")
            isAnswered[Int(item.listener)] = true
        }
        pending.removeAll(keepingCapacity: true)
        for index in isAnswered.indices where isAnswered[index] {
            isAnswered[index] = false
            listeners[index].waker.wake()
        }
    }

    private func route() {
        var next = 0
        writer.forEachInGroup { record in
            let worker = workers[Int(record.header.partition.index) % workers.count]
            let sequence = record.header.sequence
            var ticket = ScoreTicket(word: 0)
            if next < tickets.count, tickets[next].sequence == sequence {
                ticket = tickets[next].ticket
                next += 1
            }
            worker.value.send(sequence, record.raw, ticket: ticket, onFallback: counters)
        }
        progress.publish(routed: writer.committedSequence)
        tickets.removeAll(keepingCapacity: true)
        for worker in workers { worker.value.feed.waker.wake() }
    }

    private func publishGauges() {
        let gauges = writer.gauges
        progress.publish(isFull: gauges.isFull)
        progress.publish(
            gauges.isFull
                ? .severe
                : Pressure(
                    used: gauges.recordBytesUsed,
                    of: gauges.recordBytesUsed + gauges.recordBytesLeft
                )
        )
        counters.set(.journalDiskBytes, gauges.diskBytesUsed)
        counters.set(.journalBudgetBytes, gauges.diskBytesMaximum)
        counters.set(.journalSequence, Int(writer.committedSequence))
        counters.set(.deduplicationWindows, gauges.windows)
        counters.set(.deduplicationMessages, gauges.messages)
        let now = time.epochMilliseconds()
        if let oldest = gauges.windowOldestSeenAt {
            counters.set(.deduplicationSpanSeconds, Int((now - oldest) / 1000))
        }
        if let oldest = gauges.messageOldestSeenAt {
            counters.set(.deduplicationMessageSpanSeconds, Int((now - oldest) / 1000))
        }
    }
}

extension RecordSender {
    /// Sends a record, or leaves it to the reader to fetch from the journal when the ring is full.
    mutating func send(
        _ sequence: UInt64,
        _ record: ByteView,
        trailer: ByteView = .empty,
        ticket: ScoreTicket = ScoreTicket(word: 0),
        onFallback counters: CounterBlock
    ) {
        invariant(sequence > previous, "a record was sent again, or out of order")
        let pushed = ring.push(
            kind: RecordMessage.record.rawValue,
            first: sequence,
            second: previous,
            third: ticket.word,
            body: record,
            trailer: trailer
        )
        if !pushed { counters.add(.ringFallbacks) }
        previous = sequence
        feed.publish(sequence)
    }
}
