import Bytes
import Intake
import Loop
import Privacy
import Records
import Rings
import Settings
import Telemetry
import Units
import Wire

/// One listener: takes requests from its connections, hands slices to the journal, and answers when
/// the journal says that they are durable. Owned, with everything in it, by one thread.
final class Listener: ByteHandler {
    /// What a listener shares with the rest of the engine, or reads only.
    struct Surroundings {
        let index: Int
        let sites: SiteTable
        let assets: StaticAssets
        let metrics: Metrics
        let health: EngineHealth
        let time: TimeSource
        let journalWaker: Waker
        let tracesPositions: Bool
    }

    let around: Surroundings
    let loop: EventLoop
    let counters: CounterBlock
    private let acknowledge: LatencyHistogram
    /// Set once, right after the table that needs us was made.
    private(set) var connections: ConnectionTable!
    private var toJournal: RingProducer
    private var fromJournal: RingConsumer
    private var route: BeaconRoute
    private var inflater = Inflater()
    private var inflated = ByteBuffer(capacity: 64 * 1024, limit: Limits.inflatedBytesMaximum)
    var response: ResponseWriter
    private var sessions: [UnsafeMutablePointer<HTTPSession>] = []
    /// The connection whose request is being handled, and whether it may serve another.
    private var isDraining = false
    /// What the table had counted at the last tick.
    private var accepted: UInt64 = 0
    private var turnedAway: UInt64 = 0

    init(
        _ around: Surroundings,
        loop: EventLoop,
        connectionsMaximum: Int,
        toJournal: consuming RingProducer,
        fromJournal: consuming RingConsumer
    ) {
        self.around = around
        self.loop = loop
        let name = "hg-listener-\(around.index)"
        counters = around.metrics.makeBlock(thread: name)
        acknowledge = around.metrics.makeHistogram(.acknowledge, thread: name)
        self.toJournal = toJournal
        self.fromJournal = fromJournal
        route = BeaconRoute(sites: around.sites, counters: counters)
        response = ResponseWriter(epochMilliseconds: around.time.epochMilliseconds())
        connections = ConnectionTable(
            loop: loop,
            handler: self,
            connectionsMaximum: connectionsMaximum
        )
    }

    deinit {
        for session in sessions {
            session.deinitialize(count: 1)
            session.deallocate()
        }
    }

    // MARK: - Requests

    func received(_ bytes: ByteView, from connection: ConnectionID) -> Handled {
        let session = session(connection)
        if session.pointee.chunked != nil { return receivedChunks(bytes, connection, session) }
        switch RequestParser.parse(bytes) {
        case .incomplete: return Handled(consumed: 0, wanted: bytes.count + 1)
        case .refused(let error):
            refuse(BeaconProblems.problem(of: error), at: "request", connection)
            return Handled(consumed: bytes.count, pauses: true)
        case .complete(let head): return receivedHead(head, bytes, connection, session)
        }
    }

    private func receivedHead(
        _ head: RequestHead,
        _ bytes: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Handled {
        var length = 0
        switch head.body {
        case .none: break
        case .length(let value): length = value
        case .chunked:
            sendContinue(head, connection, session)
            session.pointee.chunked = ChunkedRequest(head: bytes[0..<head.length])
            return Handled(consumed: head.length)
        }
        if length > Limits.bodyBytesMaximum {
            refuse(.bodyTooLarge, at: "Content-Length", connection)
            return Handled(consumed: bytes.count, pauses: true)
        }
        guard bytes.count >= head.length + length else {
            sendContinue(head, connection, session)
            return Handled(consumed: 0, wanted: head.length + length)
        }
        let body = bytes[head.length..<head.length + length]
        let pauses = serve(head, body, connection, session)
        return Handled(consumed: head.length + length, pauses: pauses)
    }

    private func receivedChunks(
        _ bytes: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Handled {
        guard let request = session.pointee.chunked else { return Handled(consumed: 0) }
        do throws(FramingError) {
            let taken = try request.decoder.decode(bytes, into: &request.body)
            guard request.decoder.isDone else { return Handled(consumed: taken) }
            session.pointee.chunked = nil
            guard case .complete(let head) = RequestParser.parse(request.head.view) else {
                invariantFailed("a head that was parsed once no longer parses", #fileID, #line)
            }
            let pauses = serve(head, request.body.view, connection, session)
            return Handled(consumed: taken, pauses: pauses)
        } catch {
            refuse(BeaconProblems.problem(of: error), at: "body", connection)
            return Handled(consumed: bytes.count, pauses: true)
        }
    }

    private func sendContinue(
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) {
        guard head.expectsContinue, !session.pointee.hasContinued else { return }
        session.pointee.hasContinued = true
        response.goOn()
        send(to: connection)
    }

    /// Serves a whole request. True when its answer is outstanding.
    private func serve(
        _ head: RequestHead,
        _ body: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        counters.add(.requests)
        counters.add(.requestBytes, head.length + body.count)
        session.pointee.hasContinued = false
        session.pointee.parked = HTTPSession.Parked()
        session.pointee.parked.keepsAlive = head.keepsAlive && !isDraining
        if head.path.equals("/v1/e") { return serveBeacon(head, body, connection, session) }
        serveOther(head, connection, keepsAlive: session.pointee.parked.keepsAlive)
        return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
    }

    // MARK: - Beacons

    private func serveBeacon(
        _ head: RequestHead,
        _ body: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        let keepsAlive = session.pointee.parked.keepsAlive
        guard head.method == .post else {
            return serveWithoutBeacon(head, connection, keepsAlive: keepsAlive)
        }
        guard !isDraining || around.health.isReady else {
            return answer(.stopping, at: "engine", connection, origin: head.origin)
        }
        guard head.body != .none else {
            return answer(.lengthRequired, at: "Content-Length", connection, origin: head.origin)
        }
        do throws(PlainBodyError) {
            let plain = try inflate(body, head)
            return takeBeacon(plain, head, connection, session)
        } catch {
            return answer(error.problem, at: "body", connection, origin: head.origin)
        }
    }

    private struct PlainBodyError: Error {
        let problem: Problem
    }

    /// The body as JSON text: inflated when it says so, by header or by the SDK's `z=1`.
    private func inflate(_ body: ByteView, _ head: RequestHead) throws(PlainBodyError) -> ByteView {
        let isMarked = head.query.hasParameter("z=1")
        switch head.coding {
        case .identity where !isMarked: return body
        case .other: throw PlainBodyError(problem: .encodingUnsupported)
        default: break
        }
        inflated.reset()
        do {
            try inflater.inflate(body, gzip: head.coding != .deflate, into: &inflated)
        } catch {
            throw PlainBodyError(problem: BeaconProblems.problem(of: error))
        }
        return inflated.view
    }

    private func takeBeacon(
        _ body: ByteView,
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        let receivedAt = around.time.epochMilliseconds()
        let outcome = connections.withAddress(of: connection) { address in
            route.take(
                body,
                BeaconRoute.Surroundings(
                    origin: head.origin,
                    userAgent: head.userAgent,
                    hasPrivacyControl: head.hasPrivacyControl,
                    address: address,
                    receivedAt: receivedAt
                )
            )
        }
        session.pointee.parked.origin = parkedOrigin(head.origin)
        switch outcome {
        case .slice(let partition, let events):
            session.pointee.parked.events = Int32(events)
            session.pointee.parked.receivedAtNanoseconds = around.time.monotonicNanoseconds()
            return handOver(partition, receivedAt, connection, head.origin)
        case .nothing:
            acknowledge(connection, session, position: nil)
            return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
        case .refused(let problem, let place):
            return answer(problem, at: place, connection, origin: head.origin)
        }
    }

    private func handOver(
        _ partition: Partition,
        _ receivedAt: Int64,
        _ connection: ConnectionID,
        _ origin: ByteView
    ) -> Bool {
        let pushed = toJournal.push(
            kind: ListenerMessage.slice.rawValue,
            first: connection.word,
            second: UInt64(bitPattern: receivedAt),
            third: UInt64(partition.index),
            body: route.slice
        )
        guard pushed else {
            return answer(.overloaded, at: "journal ring", connection, origin: origin)
        }
        around.journalWaker.wake()
        return true
    }

    private func parkedOrigin(_ origin: ByteView) -> HTTPSession.ParkedOrigin {
        guard !origin.isEmpty, let site = route.site else { return .none }
        if around.sites[site].allowsAnyOrigin { return .any }
        guard around.sites.allows(origin: origin, site: site), let text = ShortText(origin) else {
            return .none
        }
        return .listed(text)
    }

    // MARK: - What the journal says

    /// Answers what the journal has made durable, or refused. Called when its waker fires.
    func drainAnswers() {
        fromJournal.drain(limit: .max) { frame in
            let connection = ConnectionID(word: frame.first)
            guard connections.isOpen(connection) else { return }
            let session = session(connection)
            switch JournalAnswer(rawValue: frame.kind) {
            case .durable:
                counters.add(.eventsAcknowledged, Int(session.pointee.parked.events))
                acknowledge(connection, session, position: (frame.second, frame.third))
                conclude(connection, session)
            case .full: conclude(.journalFull, connection, session)
            case .tooScattered: conclude(.windowGapsExceeded, connection, session)
            case .tooLarge: conclude(.batchTooLarge, connection, session)
            case nil: invariantFailed("an unknown answer of the journal", #fileID, #line)
            }
        }
    }

    private func acknowledge(
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>,
        position: (segment: UInt64, end: UInt64)?
    ) {
        counters.add(.batchesAcknowledged)
        let parked = session.pointee.parked
        withFrame(parked) { frame in
            response.noContent(frame, position: around.tracesPositions ? position : nil)
        }
        if parked.receivedAtNanoseconds > 0 {
            acknowledge.record(
                nanoseconds: around.time.monotonicNanoseconds() - parked.receivedAtNanoseconds
            )
        }
        send(to: connection)
    }

    private func withFrame(_ parked: HTTPSession.Parked, _ body: (ResponseWriter.Frame) -> Void) {
        switch parked.origin {
        case .none: body(ResponseWriter.Frame(keepsAlive: parked.keepsAlive))
        case .any:
            body(ResponseWriter.Frame(keepsAlive: parked.keepsAlive, allowedOrigin: ByteView("*")))
        case .listed(let origin):
            origin.withBytes {
                body(ResponseWriter.Frame(keepsAlive: parked.keepsAlive, allowedOrigin: $0))
            }
        }
    }

    private func conclude(
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) {
        if session.pointee.parked.keepsAlive {
            connections.resume(connection)
        } else {
            connections.closeAfterSending(connection)
        }
    }

    private func conclude(
        _ problem: Problem,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) {
        let row = problem.row
        if row.closes { session.pointee.parked.keepsAlive = false }
        counters.add(problem)
        withFrame(session.pointee.parked) { response.problem(problem, at: "journal", $0) }
        send(to: connection)
        conclude(connection, session)
    }

    // MARK: - Answers without the journal

    /// Answers with a problem; true when the connection must take nothing more.
    func answer(
        _ problem: Problem,
        at place: String,
        _ connection: ConnectionID,
        origin: ByteView
    ) -> Bool {
        counters.add(problem)
        let session = session(connection)
        let keepsAlive = session.pointee.parked.keepsAlive && !problem.row.closes
        // A browser may read a refusal whatever site it is for; it holds nothing about anybody.
        response.problem(
            problem,
            at: place,
            ResponseWriter.Frame(
                keepsAlive: keepsAlive,
                allowedOrigin: origin.isEmpty ? .empty : ByteView("*")
            )
        )
        send(to: connection)
        return finish(connection, keepsAlive: keepsAlive)
    }

    /// Refuses a request whose framing is broken; nothing more can be read from its connection.
    private func refuse(_ problem: Problem, at place: String, _ connection: ConnectionID) {
        counters.add(problem)
        response.problem(problem, at: place, ResponseWriter.Frame(keepsAlive: false))
        send(to: connection)
        connections.closeAfterSending(connection)
    }

    /// Sends the response that was written last.
    func send(to connection: ConnectionID) {
        counters.add(.responseBytes, response.view.count)
        connections.send(response.view, to: connection)
    }

    /// Ends an answered request; true when the connection must take nothing more.
    func finish(_ connection: ConnectionID, keepsAlive: Bool) -> Bool {
        if keepsAlive { return false }
        connections.closeAfterSending(connection)
        return true
    }

    private func serveWithoutBeacon(
        _ head: RequestHead,
        _ connection: ConnectionID,
        keepsAlive: Bool
    ) -> Bool {
        guard head.method == .options else {
            sendProblem(.methodNotAllowed, head, connection, keepsAlive)
            return finish(connection, keepsAlive: keepsAlive)
        }
        response.preflight(
            ResponseWriter.Frame(
                keepsAlive: keepsAlive,
                allowedOrigin: head.origin.isEmpty ? .empty : ByteView("*")
            )
        )
        send(to: connection)
        return finish(connection, keepsAlive: keepsAlive)
    }

    // MARK: - Connections

    func closed(_ connection: ConnectionID) {
        counters.add(.connectionsClosed)
        if Int(connection.slot) < sessions.count { sessions[Int(connection.slot)].pointee.forget() }
    }

    func timedOut(_ connection: ConnectionID) {
        counters.add(.requestTimeout)
        response.problem(.requestTimeout, at: "request", ResponseWriter.Frame(keepsAlive: false))
        send(to: connection)
        connections.closeAfterSending(connection)
    }

    private func session(_ connection: ConnectionID) -> UnsafeMutablePointer<HTTPSession> {
        while sessions.count <= Int(connection.slot) {
            let fresh = UnsafeMutablePointer<HTTPSession>.allocate(capacity: 1)
            fresh.initialize(to: HTTPSession())
            sessions.append(fresh)
        }
        return sessions[Int(connection.slot)]
    }

    // MARK: - Every second, and the end

    /// Once a second: deadlines, the date of answers, gauges.
    func tick() {
        response.setDate(epochMilliseconds: around.time.epochMilliseconds())
        connections.enforceDeadlines()
        counters.add(.connectionsAccepted, Int(connections.acceptedCount - accepted))
        counters.add(.connectionsRefused, Int(connections.turnedAwayCount - turnedAway))
        (accepted, turnedAway) = (connections.acceptedCount, connections.turnedAwayCount)
        counters.set(.ready, around.health.isReady ? 1 : 0)
        counters.set(.connectionsOpen, connections.openCount)
        counters.set(.ringDepthBytes, toJournal.depth)
    }

    /// Serves what is under way, each connection's last, and takes no new connections.
    func drain() {
        isDraining = true
        connections.closeIdle()
    }
}
