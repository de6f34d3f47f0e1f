import Admission
import Bytes
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// The events of a beacon on their way into its slice: each is held to the rules of its type and of
/// its site, and one that breaks them harms itself alone.
extension BeaconRoute {
    /// Writes the usable events and notes what is wrong with the others; refuses when none is usable.
    /// Nil when they are not sound JSON.
    mutating func writeEvents(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ around: Surroundings
    ) throws(Refusal) -> Int? {
        let receivedAt = around.receivedAt
        let offset =
            clockOffset
            ?? clock.offset(window: beacon.window, sentAt: beacon.sentAt, receivedAt: receivedAt)
        clockOffset = offset
        tally.reset()
        var reader = BeaconEventReader(beacon.events)
        var written = 0
        while let outcome = reader.next() {
            if keepsConsentOnly, !Self.isChoice(outcome, reader) {
                counters.add(.eventWithoutConsent)
                continue
            }
            tally.events += 1
            if tally.events > Slice.eventsMaximum { throw Refusal(.eventCountExceeded, at: "e") }
            let mark = writer.buffer.count
            do throws(EventRefusal) {
                try check(outcome, reader)
                try writeEvent(reader, beacon, site, offset, around)
                written += 1
            } catch {
                writer.buffer.truncate(to: min(mark, writer.buffer.count))
                tally.faults.append(
                    Fault(
                        problem: error.problem,
                        event: reader.bytes,
                        index: tally.events - 1,
                        number: reader.number
                    )
                )
            }
        }
        guard reader.isSound() else { return nil }
        guard written > 0 else { throw nothingUsable(beacon, body, around) }
        return written
    }

    /// An event's problem has no status of its own; it says why nothing could be taken.
    private mutating func nothingUsable(
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) -> Refusal {
        countFaults(beacon, body, around)
        let reason = tally.faults.first.map { ", \($0.problem.row.code)" } ?? ""
        return Refusal(.batchEmpty, at: "e" + reason)
    }

    private static func isChoice(
        _ outcome: Result<Void, EventFault>,
        _ reader: borrowing BeaconEventReader
    ) -> Bool {
        if case .failure = outcome { return false }
        return reader.kind == .consent
    }

    /// What was wrong with one event of the beacon.
    struct Fault {
        let problem: Problem
        let event: ByteView
        let index: Int
        let number: UInt32
    }

    /// What a walk over the events finds, counted only when it was the last walk.
    struct Tally {
        var events = 0
        var unknownKeys = 0
        var textsShortened = 0
        /// Consent events.
        var choices = 0
        /// Personal data taken out.
        var findings = Findings()
        var faults: [Fault] = []

        mutating func reset() {
            (events, unknownKeys, textsShortened) = (0, 0, 0)
            choices = 0
            findings = Findings()
            faults.removeAll(keepingCapacity: true)
        }
    }

    mutating func count(_ beacon: Beacon, _ body: ByteView, _ around: Surroundings) {
        counters.add(.eventsReceived, tally.events)
        if beacon.unknownKeys + tally.unknownKeys > 0 {
            counters.add(.unknownKeys, beacon.unknownKeys + tally.unknownKeys)
        }
        if tally.textsShortened > 0 { counters.add(.textsShortened, tally.textsShortened) }
        if !tally.findings.isEmpty { meter.add(tally.findings) }
        if beacon.lost > 0 { counters.add(.eventsLostByClients, Int(min(beacon.lost, 1 << 20))) }
        countFaults(beacon, body, around)
    }

    private mutating func countFaults(
        _ beacon: Beacon,
        _ body: ByteView,
        _ around: Surroundings
    ) {
        for index in tally.faults.indices {
            counters.add(tally.faults[index].problem)
            keepEvent(tally.faults[index], beacon, body, around)
        }
    }

    private func check(
        _ outcome: Result<Void, EventFault>,
        _ reader: borrowing BeaconEventReader
    ) throws(EventRefusal) {
        if case .failure(let fault) = outcome {
            throw EventRefusal(problem: BeaconProblems.problem(of: fault))
        }
        if reader.bytes.count > Limits.eventBytesMaximum {
            throw EventRefusal(problem: .eventTooLarge)
        }
    }

    private mutating func writeEvent(
        _ event: borrowing BeaconEventReader,
        _ beacon: Beacon,
        _ site: Int,
        _ offset: Int64,
        _ around: Surroundings
    ) throws(EventRefusal) {
        // Anchored at the send: a clock that was set between event and send does no harm.
        let clientTime = beacon.sentAt &- (beacon.sentAtMonotonic &- event.offsetMilliseconds)
        let (occurredAt, moved) = ClockCorrection.occurredAt(
            clientTime: clientTime,
            offset: offset,
            receivedAt: around.receivedAt
        )
        findings = Findings()
        var flags: SliceEvent.Flags = moved ? .moved : []
        if around.isHistory { flags.insert(.history) }
        let name = try name(of: event)
        rule = event.kind == .custom ? try sites.rules.rule(for: name, site: site) : nil
        writer.beginEvent(
            number: event.number,
            occurredAt: occurredAt,
            kind: event.kind,
            flags: flags,
            page: event.page,
            name: name
        )
        noteKind(event.kind)
        writer.buffer.append(UInt8(ascii: "{"))
        pageURL.reset()
        pageReferrer.reset()
        var isFirst = true
        for index in 0..<event.fieldCount {
            try writeField(event.field(index), event.kind, site, &isFirst)
        }
        if event.kind == .consent { tally.choices += 1 }
        if event.kind == .identify, sealing.isAllowed { noteIdentity(event, site) }
        if event.kind == .pageView {
            sender.appendSource(
                url: pageURL.view,
                referrer: pageReferrer.view,
                into: &writer.buffer
            )
        }
        writeFindings()
        writer.buffer.append(UInt8(ascii: "}"))
        writer.endEvent()
        // An event without properties lacks those that are required.
        if let rule, sites.rules[rule].required != 0 {
            throw EventRefusal(problem: .propertyMissing)
        }
    }

    /// Before the traits are filtered: platforms are told hashes of what is then gone.
    private func noteIdentity(_ event: borrowing BeaconEventReader, _ site: Int) {
        var (user, traits) = (ByteView.empty, ByteView.empty)
        for index in 0..<event.fieldCount {
            let field = event.field(index)
            if field.key.equals("uid"), field.kind == .string {
                user = field.value[1..<field.value.count - 1]
            } else if field.key.equals("traits"), field.kind == .object {
                traits = field.value
            }
        }
        sealer.noteIdentity(user: user, traits: traits, callingCode: sites.callingCodes[site])
    }

    private mutating func noteKind(_ kind: EventKind) {
        switch kind {
        case .custom, .form, .pageView, .identify: sealing.isWorthwhile = true
        case .pageSummary, .click, .navigation, .consent: return
        }
    }

    private mutating func writeField(
        _ field: EventField,
        _ kind: EventKind,
        _ site: Int,
        _ isFirst: inout Bool
    ) throws(EventRefusal) {
        guard !EventSchema.isName(kind, field.key) else { return }
        guard let rule = EventSchema.rule(kind, field.key) else {
            tally.unknownKeys += 1
            return
        }
        if field.kind == .null { return }
        guard rule.accepts(field.kind) else { throw EventRefusal(problem: .eventMalformed) }
        if kind == .consent { ConsentMembers.take(field.key, field.kind, field.value, &told) }
        writer.buffer.append(isFirst ? "\"" : ",\"")
        isFirst = false
        writer.buffer.append(field.key)
        writer.buffer.append("\":")
        if field.kind == .string {
            let raw = field.value[1..<field.value.count - 1]
            if rule.treatment == .asIs {
                writeString(raw, field.key, kind, rule)
            } else {
                writeURL(raw, rule, site, isReferrer: field.key.equals("r"))
            }
        } else {
            try writeOther(field, kind, rule)
        }
    }
}
