import BenchLoad
import Bytes
import Glibc
import Records
import Wire

/// Requests of one of the bench's loads, made anew on demand; every event of them is new.
final class Bodies {
    private let renderer: Renderer
    private var population: Population
    private let line: UnsafeMutablePointer<UInt8>
    private var buffer = ByteBuffer(capacity: 32 << 20, limit: 256 << 20)
    private var places: [Range<Int>] = []
    /// Where the body of each begins.
    private var bodyStarts: [Int] = []
    /// Events in the requests made last.
    private(set) var events = 0

    /// So many visitors take turns that tables are as cold as a site's are.
    private static let visitors = 20_000

    init(_ load: Load) {
        let run = RunIdentity(seed: 1, startedAtEpochMilliseconds: Self.epochMilliseconds())
        renderer = Renderer(run: run, head: Self.head, templates: load.templates)
        population = Population(load: load, count: Self.visitors, watchedCount: 1, run: run)
        line = .allocate(capacity: renderer.longestRequest)
    }

    deinit { line.deallocate() }

    var count: Int { places.count }

    /// A whole request, head and body; valid until the next `make`.
    func request(_ index: Int) -> ByteView { buffer.view[places[index]] }

    /// Replaces the requests by `count` new ones.
    func make(_ count: Int) {
        let now = Self.epochMilliseconds()
        buffer.reset()
        places.removeAll(keepingCapacity: true)
        bodyStarts.removeAll(keepingCapacity: true)
        events = 0
        for _ in 0..<count {
            let recipe = population.nextRecipe(nowEpochMilliseconds: now)
            let length = renderer.render(recipe, nowEpochMilliseconds: now, to: line)
            let start = buffer.count
            buffer.append(ByteView(base: UnsafeRawPointer(line), count: length))
            places.append(start..<buffer.count)
            bodyStarts.append(start + headLength(places.count - 1))
            events += Int(recipe.eventCount)
        }
    }

    private func headLength(_ index: Int) -> Int {
        guard case .complete(let head) = RequestParser.parse(request(index)) else { return 0 }
        return head.length
    }

    /// The body of a request; valid until the next `make`.
    func body(_ index: Int) -> ByteView {
        buffer.view[bodyStarts[index]..<places[index].upperBound]
    }

    static func epochMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// What a browser sends along.
    private static let head =
        "POST /v1/e HTTP/1.1\r\nHost: 127.0.0.1:8600\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
        + "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n"
        + "Accept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\nOrigin: http://127.0.0.1:8601\r\n"
        + "Referer: http://127.0.0.1:8601/\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        + "Content-Length: "
}

/// Slices of the same requests, as the journal and the fold meet them.
final class Slices {
    private var writer = SliceWriter(limit: 1 << 20)
    private var buffer = ByteBuffer(capacity: 32 << 20, limit: 256 << 20)
    private var places: [Range<Int>] = []

    var count: Int { places.count }

    func payload(_ index: Int) -> ByteView { buffer.view[places[index]] }

    /// Replaces the slices by those of `bodies`.
    func make(_ bodies: Bodies) {
        buffer.reset()
        places.removeAll(keepingCapacity: true)
        for index in 0..<bodies.count {
            guard let beacon = BeaconDecoder.decodeFront(bodies.body(index)), write(beacon) else {
                continue
            }
            let start = buffer.count
            buffer.append(writer.buffer.view)
            // As in the journal, records begin at multiples of eight.
            places.append(start..<buffer.count)
            buffer.pad(to: 8)
        }
    }

    private func write(_ beacon: Beacon) -> Bool {
        var head = SliceWriter.Head()
        head.site = ByteView("demo")
        (head.visitor, head.session) = (beacon.device, beacon.session)
        (head.window, head.batch) = (beacon.window, beacon.batch)
        head.consent = [.measurement, .storage, .profiling]
        writer.begin(head)
        var reader = BeaconEventReader(beacon.events)
        var count = 0
        while let outcome = reader.next() {
            guard case .success = outcome else { return false }
            write(reader, sentAt: beacon.sentAt)
            count += 1
        }
        return writer.finish(eventCount: count)
    }

    private func write(_ event: borrowing BeaconEventReader, sentAt: Int64) {
        writer.beginEvent(
            number: event.number,
            occurredAt: sentAt,
            kind: event.kind,
            flags: [],
            page: event.page,
            name: name(of: event)
        )
        writer.buffer.append(UInt8(ascii: "{"))
        var isFirst = true
        for index in 0..<event.fieldCount where !event.field(index).key.equals("name") {
            writer.buffer.append(isFirst ? "\"" : ",\"")
            isFirst = false
            writer.buffer.append(event.field(index).key)
            writer.buffer.append("\":")
            writer.buffer.append(event.field(index).value)
        }
        writer.buffer.append(UInt8(ascii: "}"))
        writer.endEvent()
    }

    private func name(of event: borrowing BeaconEventReader) -> ByteView {
        for index in 0..<event.fieldCount where event.field(index).key.equals("name") {
            let value = event.field(index).value
            return value[1..<value.count - 1]
        }
        return .empty
    }
}
