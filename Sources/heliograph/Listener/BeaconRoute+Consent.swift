import Admission
import Bytes
import Enrichment
import Privacy
import Records
import Settings
import Telemetry
import Wire

/// What a beacon says of consent, and what becomes of one that takes an agreement back.
extension BeaconRoute {
    /// Decides what holds for a beacon. Its strings travel in `cp`, which the SDK repeats with every
    /// batch: a listener remembers nobody's answers, so none can be forgotten or mixed up.
    mutating func decide(
        _ beacon: Beacon,
        _ site: Int,
        _ around: Surroundings
    ) -> ConsentVerdict {
        var signals = ConsentSignals()
        signals.said = beacon.consent
        signals.hasPrivacyControl = around.hasPrivacyControl
        signals.asksNotToTrack = around.asksNotToTrack
        country.reset()
        sender.appendCountry(around.address, into: &country)
        signals.country = country.view
        ConsentMembers.read(beacon.context, into: &signals)
        ConsentMembers.read(beacon.consentSignals, into: &signals)
        signals.override(by: told)
        return ConsentDecision.decide(signals, sites[site].consent)
    }

    /// A visitor without an id of the device: known for a day, or for as long as the tab's session.
    mutating func passingVisitor(
        _ beacon: Beacon,
        _ entry: SiteTable.Entry,
        _ around: Surroundings
    ) -> ByteView {
        // Of a replay's sender the machine is unknown.
        guard entry.consent.cookieless != .session, !around.isReplay else {
            return Identifiers.isClientID(beacon.session) ? beacon.session : beacon.window
        }
        var machine = CookielessNames.Machine()
        machine.address = around.address
        machine.userAgent = around.facts.userAgent
        machine.language = around.facts.acceptLanguage
        machine.isCoarse = entry.consent.cookieless == .strict
        name.reset()
        entry.name.withBytes {
            sender.appendName(machine, site: $0, at: around.receivedAt, into: &name)
        }
        return name.view
    }

    /// Whether the consent events just written change what holds, or take back that of a device.
    mutating func changesMind(_ beacon: Beacon, _ site: Int, _ around: Surroundings) -> Bool {
        let before = verdict
        verdict = decide(beacon, site, around)
        return verdict != before || leavesDevice(beacon)
    }

    /// The device is still named, but nothing may be kept on it any more.
    private func leavesDevice(_ beacon: Beacon) -> Bool {
        !ConsentGate.allowsDeviceID(verdict.consent) && Identifiers.isClientID(beacon.device)
    }

    /// What a beacon becomes whose own consent events changed what holds for it.
    mutating func settle(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ around: Surroundings
    ) throws(Refusal) -> Outcome? {
        guard ConsentGate.allowsStoring(verdict.consent), !leavesDevice(beacon) else {
            return withdraw(beacon, body, site, around)
        }
        return try write(beacon, body, site, around)
    }

    /// Keeps of a beacon that nothing more may be stored of only that its visitor took back what was
    /// agreed to before: a record of the visitor's id and the consent events, so that the stores
    /// forget. Without such an event it leaves nothing.
    mutating func withdraw(
        _ beacon: Beacon,
        _ body: ByteView,
        _ site: Int,
        _ around: Surroundings
    ) -> Outcome {
        if verdict.malformed > 0 { counters.add(.consentMalformed, verdict.malformed) }
        guard Self.hasChoice(beacon.events) else {
            counters.add(.eventWithoutConsent)
            return .nothing
        }
        keepsConsentOnly = true
        sealing = Sealing()
        sealer.reset()
        var head = SliceWriter.Head()
        head.settingsVersion = sites.version
        head.window = beacon.window
        head.flags = verdict.flags
        let entry = sites[site]
        if Identifiers.isClientID(beacon.device) {
            head.visitor = beacon.device
        } else {
            head.visitor = passingVisitor(beacon, entry, around)
            head.flags.insert(.withoutDevice)
        }
        entry.name.withBytes {
            head.site = $0
            writer.begin(head)
        }
        // A refusal of one that nothing may be kept of is not kept either.
        let events = try? writeEvents(beacon, body, site, around)
        guard let events, events > 0, writer.finish(eventCount: events) else {
            counters.add(.eventWithoutConsent)
            return .nothing
        }
        counters.add(.consentWithdrawn)
        return .slice(
            Partition(visitor: head.visitor),
            events: events,
            visitor: head.visitor,
            site: site
        )
    }

    private static func hasChoice(_ events: ByteView) -> Bool {
        var reader = BeaconEventReader(events)
        while let outcome = reader.next() {
            if case .success = outcome, reader.kind == .consent { return true }
        }
        return false
    }
}

/// Reads what an object of a request says of consent.
enum ConsentMembers {
    /// Takes the members that are known; texts with escapes say nothing that can be read.
    static func read(_ object: ByteView, into signals: inout ConsentSignals) {
        guard !object.isEmpty else { return }
        var cursor = JSONCursor(object)
        var first = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                take(key, kind, value, &signals)
            }
        } catch {
            // The rest of the request is read elsewhere, and refused where it is broken.
            return
        }
    }

    static func take(
        _ key: ByteView,
        _ kind: JSONCursor.Kind,
        _ value: ByteView,
        _ signals: inout ConsentSignals
    ) {
        if kind == .string {
            _ = signals.take(key, text: value[1..<value.count - 1])
        } else if key.equals("ex") {
            signals.isExplicit = value.equals("1") || value.equals("true")
        }
    }
}

extension ConsentSignals {
    /// What is said later goes before what was said with the batch.
    mutating func override(by later: ConsentSignals) {
        if !later.tcf.isEmpty { tcf = later.tcf }
        if !later.gpp.isEmpty { gpp = later.gpp }
        if !later.usPrivacy.isEmpty { usPrivacy = later.usPrivacy }
        if !later.consentMode.isEmpty { consentMode = later.consentMode }
        if later.isExplicit { isExplicit = true }
    }
}

extension ConsentGate {
    /// How closely may be kept where a visitor is: the city for those who allow behaviour to be
    /// looked at, the country alone of children and without measurement.
    static func placeDetail(_ verdict: ConsentVerdict) -> PlaceDetail {
        if verdict.flags.contains(.minor) { return .country }
        guard verdict.consent.contains(.measurement) else { return .country }
        return verdict.consent.contains(.profiling) ? .city : .region
    }
}
