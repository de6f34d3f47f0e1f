// Goal: what a record says for folding comes back from its rows, whatever order PostgreSQL keeps them
// in, and a row's fingerprint is its event's.
// Method: random slices stored in a real PostgreSQL, read back as records and as fingerprints.
import Bytes
import Records
import Scoring
import Testing

@testable import Storage

private struct Told: Equatable {
    var offset: UInt64
    var partition: UInt8
    var receivedAt: Int64
    var consent: UInt8
    var flags: UInt8
    var device: UInt8
    var texts: [String]
    var events: [String]

    init(_ header: RecordHeader, _ slice: Slice) {
        offset = header.offset
        partition = header.partition.index
        receivedAt = header.receivedAt
        (consent, flags) = (slice.consent.rawValue, slice.flags.rawValue)
        device = slice.deviceClass.rawValue
        texts = [slice.site, slice.visitor, slice.session, slice.window, slice.user].map(\.text)
        var told: [String] = []
        slice.forEachEvent { index, event in
            guard header.duplicates >> UInt64(index) & 1 == 0 else { return }
            told.append(
                "\(event.number) \(event.occurredAt) \(event.kind) \(event.flags.rawValue) "
                    + "\(event.page) \(event.name.text) \(event.messageID.text) "
                    + event.properties.text
            )
        }
        events = told
    }
}

/// Slices in the order of their records, with the session that each is stored under.
private struct Story: ~Copyable {
    var random = SystemRandomNumberGenerator()
    var writer = SliceWriter(limit: 1 << 20)
    var told: [Told] = []
    var fingerprints: Set<UInt64> = []

    mutating func add(_ number: Int, to archive: ArchiveWriter) {
        var head = SliceWriter.Head()
        head.consent = Consent(rawValue: 1 + UInt8.random(in: 0..<32) * 2)
        head.flags = Slice.Flags(rawValue: UInt8.random(in: 0..<16))
        head.deviceClass = Slice.DeviceClass(rawValue: UInt8(number % 4)) ?? .unknown
        head.site = ByteView("demo")
        head.visitor = ByteView(number % 2 == 0 ? "someone" : "another")
        head.session = number % 3 == 0 ? .empty : ByteView("session-of-the-sender")
        head.window = number % 5 == 0 ? .empty : ByteView("window")
        head.context = ByteView(#"{"l":"de"}"#)
        writer.begin(head)
        let count = 1 + number % 64
        for index in 0..<count { addEvent(number, index) }
        let isWhole = writer.finish(eventCount: count)
        #expect(isWhole)
        store(number, archive)
    }

    private mutating func addEvent(_ number: Int, _ index: Int) {
        writer.beginEvent(
            // Numbers that fall, so that no other order than the written one is right.
            number: UInt32(10_000 - index),
            occurredAt: 1_700_000_000_000 + Int64.random(in: 0..<10_000),
            kind: EventKind.allCases[index % EventKind.allCases.count],
            flags: index % 7 == 0 ? .moved : [],
            page: UInt16(index),
            name: index % 4 == 0 ? ByteView("signup") : .empty,
            messageID: index % 9 == 0 ? ByteView("message-1") : .empty
        )
        writer.buffer.append("{\"a\": ")
        writer.buffer.append(decimal: Int64(number * 100 + index))
        writer.buffer.append("}")
        writer.endEvent()
    }

    private mutating func store(_ number: Int, _ archive: ArchiveWriter) {
        guard let slice = Slice(writer.buffer.view) else { return }
        var header = RecordHeader(
            kind: .slice,
            partition: Partition(UInt8(number % 3)),
            receivedAt: 1_700_000_000_000 + Int64(number),
            payload: writer.buffer.view
        )
        header.offset = UInt64(number)
        // A record whose events are all repeats has no effect and never reaches the archive.
        header.duplicates = UInt64.random(in: 0 ... .max) & ~1
        var change = SessionChange()
        change.session = ShortText(ByteView("stored-under")) ?? ShortText()
        change.events = 1
        let session = slice.session.isEmpty ? ByteView("stored-under") : slice.session
        if !slice.session.isEmpty { change.session = ShortText(slice.session) ?? ShortText() }
        #expect(
            archive.add(header: header, slice: slice, change: change, history: nil) == .added
        )
        told.append(Told(header, slice))
        var print = EventFingerprint()
        slice.forEachEvent { index, event in
            guard header.duplicates >> UInt64(index) & 1 == 0 else { return }
            fingerprints.insert(print.of(event, header, slice, session: session))
        }
    }
}

struct RowsBecomeRecordsTests {
    @Test func recordsAndFingerprintsComeBack() throws {
        let database = try TestStores.database()
        let archive = ArchiveWriter(conninfo: database.conninfo)
        try archive.connect()
        var story = Story()
        for number in 1...120 {
            story.add(number, to: archive)
            if number % 40 == 0 { _ = try archive.commit() }
        }
        // Gaps in old pages are where PostgreSQL puts new rows.
        _ = database.sql("UPDATE heliograph.event SET user_id = NULL WHERE n % 3 = 0")
        let rows = try EventRows(conninfo: database.conninfo)
        var found: [Told] = []
        try rows.records { header, payload in
            guard let slice = Slice(payload) else { return }
            found.append(Told(header, slice))
        }
        let wanted = story.told.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        #expect(found == wanted)
        var fingerprints: Set<UInt64> = []
        try rows.fingerprints { fingerprints.insert($1) }
        #expect(fingerprints == story.fingerprints)
    }

    @Test func withdrawalsAreAmongTheRecords() throws {
        let database = try TestStores.database()
        let archive = ArchiveWriter(conninfo: database.conninfo)
        try archive.connect()
        var writer = SliceWriter(limit: 4096)
        var head = SliceWriter.Head()
        (head.site, head.visitor) = (ByteView("demo"), ByteView("someone"))
        writer.begin(head)
        let isWhole = writer.finish(eventCount: 0)
        #expect(isWhole)
        var header = RecordHeader(
            kind: .slice,
            partition: Partition(visitor: head.visitor),
            receivedAt: 1_700_000_000_000,
            payload: writer.buffer.view
        )
        header.offset = 9
        let slice = try #require(Slice(writer.buffer.view))
        #expect(archive.add(header: header, withdrawal: slice) == .added)
        _ = try archive.commit()
        var kinds: [EventKind] = []
        try EventRows(conninfo: database.conninfo).records { header, payload in
            #expect(header.offset == 9)
            guard let slice = Slice(payload) else { return }
            #expect(slice.consent == [] && slice.visitor.equals("someone"))
            slice.forEachEvent { kinds.append($1.kind) }
        }
        #expect(kinds == [.consent])
    }
}
