import Bytes
import CHiredis
import CLibpq
import CLibuv
import Glibc
import Records
import Synchronization
import Testing

@testable import Storage
@testable import heliograph

/// Real private servers in a temporary folder, gone when the test is over.
final class TestStores {
    let folder: String
    let stores: PrivateStores
    private(set) var redisURL = ""
    private(set) var conninfo = ""

    init(redis: Bool = false, postgres: Bool = false) throws {
        folder = TestStores.makeFolder()
        stores = PrivateStores(
            dataDirectory: folder,
            wantsRedis: redis,
            wantsPostgres: postgres
        )
        let found = try stores.start()
        redisURL = found.redisURL ?? ""
        conninfo = found.postgresConninfo ?? ""
    }

    static func makeFolder() -> String {
        var template = Array("/tmp/hgtest-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return "/tmp/hgtest" }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// One PostgreSQL for all tests of this process; each test gets a database of its own in it.
    static let shared = SharedPostgres()

    /// An empty database of the shared PostgreSQL.
    static func database() throws -> TestDatabase {
        let (base, number) = try shared.next()
        _ = TestPostgres.ask(base, "CREATE DATABASE test\(number)")
        return TestDatabase(
            conninfo: base.replacing("dbname=postgres", with: "dbname=test\(number)")
        )
    }

    func end() {
        stores.stop()
        TestStores.remove(folder)
    }

    /// The folder and, as root, what belongs to it under the system folder.
    static func remove(_ folder: String) {
        let base = PostgresServer.systemFolder + "/" + SocketFolder.fingerprint(folder)
        Files.removeTree(folder)
        Files.removeTree(base)
    }

    func redis(_ arguments: String...) -> TestAnswer { TestRedis.ask(redisURL, arguments) }

    func sql(_ text: String) -> [[String]] { TestPostgres.ask(conninfo, text) }
}

struct TestDatabase {
    let conninfo: String

    func sql(_ text: String) -> [[String]] { TestPostgres.ask(conninfo, text) }
}

/// Started by the first test that needs it, stopped when the process exits.
final class SharedPostgres: Sendable {
    private struct State {
        var conninfo = ""
        var folder = ""
        var count = 0
    }
    private let state = Mutex(State())

    func next() throws -> (String, Int) {
        try state.withLock { state in
            if state.conninfo.isEmpty {
                let started = try TestStores(postgres: true)
                (state.conninfo, state.folder) = (started.conninfo, started.folder)
                atexit { TestStores.shared.stop() }
            }
            state.count += 1
            return (state.conninfo, state.count)
        }
    }

    /// A server is recognised by its folder, so any `PrivateStores` of that folder can stop it.
    private func stop() {
        let folder = state.withLock { $0.folder }
        let stores = PrivateStores(dataDirectory: folder, wantsRedis: false)
        _ = try? stores.start()
        stores.stop()
        TestStores.remove(folder)
    }
}

indirect enum TestAnswer: Equatable {
    case text(String), number(Int64), list([TestAnswer]), none, problem(String)

    var string: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    var strings: [String] {
        if case .list(let items) = self { return items.compactMap(\.string) }
        return []
    }
}

/// hiredis in its plain blocking form: not the code under test.
enum TestRedis {
    static func ask(_ url: String, _ arguments: [String]) -> TestAnswer {
        guard let context = redisConnectUnix(String(url.dropFirst(7))) else { return .none }
        defer { redisFree(context) }
        var vector: [UnsafePointer<CChar>?] = arguments.map { UnsafePointer(strdup($0)) }
        defer { vector.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
        let lengths = arguments.map { $0.utf8.count }
        redisAppendCommandArgv(context, Int32(arguments.count), &vector, lengths)
        var reply: UnsafeMutableRawPointer?
        guard redisGetReply(context, &reply) == REDIS_OK, let reply else { return .none }
        defer { freeReplyObject(reply) }
        return answer(reply.assumingMemoryBound(to: redisReply.self))
    }

    /// Lets a server that listens on a socket only also listen on a free loopback port.
    static func openPort(_ url: String) -> Int? {
        (20_000..<20_200).map { $0 + Int(getpid()) % 20_000 }.first { port in
            ask(url, ["CONFIG", "SET", "port", String(port)]) == .text("OK")
        }
    }

    private static func answer(_ reply: UnsafeMutablePointer<redisReply>) -> TestAnswer {
        let text = {
            String(
                decoding: UnsafeRawBufferPointer(
                    start: reply.pointee.str,
                    count: reply.pointee.len
                ),
                as: UTF8.self
            )
        }
        switch reply.pointee.type {
        case REDIS_REPLY_INTEGER: return .number(reply.pointee.integer)
        case REDIS_REPLY_NIL: return .none
        case REDIS_REPLY_ERROR: return .problem(text())
        case REDIS_REPLY_ARRAY:
            return .list(
                (0..<reply.pointee.elements).map { index in
                    reply.pointee.element[index].map(answer) ?? .none
                }
            )
        default: return .text(text())
        }
    }
}

enum TestPostgres {
    static func ask(_ conninfo: String, _ text: String) -> [[String]] {
        let connection = PQconnectdb(conninfo)
        defer { PQfinish(connection) }
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        if PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK {
            return [["problem", String(cString: PQerrorMessage(connection))]]
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1
                    ? "null" : String(cString: PQgetvalue(result, row, column))
            }
        }
    }
}

/// A journal record made of Swift literals, as the journal would hand it over.
final class TestRecord {
    struct Event {
        var number: UInt32
        var properties = "{}"
        var name = ""
        var kind = EventKind.custom
    }

    var writer = SliceWriter(limit: 1024 * 1024)
    var header: RecordHeader
    let visitor: String
    let sessionName: String

    init(
        visitor: String,
        offset: UInt64,
        receivedAt: Int64 = 1_773_500_000_000,
        events: [Event],
        duplicates: UInt64 = 0,
        session: String = "s1",
        partition: UInt8? = nil,
        context: String = "{\"la\":\"de\"}",
        flags: Slice.Flags = []
    ) {
        self.visitor = visitor
        sessionName = session
        var texts = ByteBuffer(capacity: 4096, limit: 1024 * 1024)
        let parts = ["demo", visitor, session, "w-" + visitor, context]
        for part in parts { texts.append(text: part) }
        var views: [Range<Int>] = []
        var start = 0
        for part in parts {
            views.append(start..<start + part.utf8.count)
            start += part.utf8.count
        }
        var head = SliceWriter.Head()
        head.consent = [.measurement, .storage, .profiling]
        head.flags = flags
        head.site = texts.view[views[0]]
        head.visitor = texts.view[views[1]]
        head.session = texts.view[views[2]]
        head.window = texts.view[views[3]]
        head.context = texts.view[views[4]]
        head.address = ByteView("192.0.2.0")
        writer.begin(head)
        for event in events { TestRecord.add(event, receivedAt, &writer) }
        _ = writer.finish(eventCount: events.count)
        let place = partition.map { Partition($0) } ?? Partition(visitor: head.visitor)
        header = RecordHeader(
            kind: .slice,
            partition: place,
            receivedAt: receivedAt,
            payload: writer.buffer.view
        )
        header.offset = offset
        header.duplicates = duplicates
    }

    private static func add(_ event: Event, _ at: Int64, _ writer: inout SliceWriter) {
        var name = ByteBuffer(capacity: 256)
        name.append(text: event.name)
        writer.beginEvent(
            number: event.number,
            occurredAt: at - 10,
            kind: event.kind,
            flags: [],
            page: 1,
            name: name.view
        )
        writer.buffer.append(text: event.properties)
        writer.endEvent()
    }

    var change: SessionChange {
        var change = SessionChange()
        change.site = TestRecord.short("demo")
        change.visitor = TestRecord.short(visitor)
        change.session = TestRecord.short(sessionName)
        change.startedAt = header.receivedAt - 10
        change.endedAt = header.receivedAt
        change.events = 1
        change.pageViews = 1
        change.activeMilliseconds = 500
        change.scoreMaximum = 12.5
        return change
    }

    static func short(_ text: String) -> ShortText {
        var buffer = ByteBuffer(capacity: 64)
        buffer.append(text: text)
        return ShortText(buffer.view) ?? ShortText()
    }

    @discardableResult
    func add(
        to archive: ArchiveWriter,
        history: HistoryPoint? = nil
    ) -> ArchiveWriter.Addition {
        guard let slice = Slice(writer.buffer.view) else { return .full }
        var effect = FoldEffect(visitorIndex: 0, eventsFolded: 1)
        if let history { (effect.keepsHistory, effect.history) = (true, history) }
        let gain = HistoryGain(effect, ModelTag(name: "0123456789ab", categories: ["pricing"]))
        return archive.add(header: header, slice: slice, change: change, history: gain)
    }
}

func testReading(score: Double, offset: UInt64 = 1, updatedAt: Int64 = 1_773_500_000_000) -> Reading
{
    Reading(
        score: score,
        likelihood: 0.25,
        confidence: 0.5,
        band: .warm,
        profile: .proofDriven,
        updatedAt: updatedAt,
        seenAt: updatedAt - 5,
        offset: offset
    )
}
