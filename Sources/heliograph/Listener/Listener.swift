import Admission
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
        let board: EdgeBoard
        let limiter: RateLimiter
        let assets: StaticAssets
        let metrics: Metrics
        let health: EngineHealth
        let time: TimeSource
        let journalWaker: Waker
        let progress: JournalProgress
        let warm: WarmVisitors
        let replayGate: ReplayGate
        let tracesPositions: Bool
        /// Under which ids of servers are renamed; see `Pseudonymizer`.
        let pseudonymSecret: [UInt8]
        /// Under which what platforms may know is sealed.
        let sealKeys: SealKeys
        let meter: PersonalDataMeter
        let clicks: LinkClicks
        /// What visitors without cookies are named under.
        let salts: CookielessSalts
    }

    let around: Surroundings
    let loop: EventLoop
    let counters: CounterBlock
    let acknowledgeTimes: LatencyHistogram
    /// Set once, right after the table that needs us was made.
    private(set) var connections: ConnectionTable!
    var toJournal: RingProducer
    var fromJournal: RingConsumer
    /// The ways from the workers, by their numbers.
    let fromWorkers: [Owned<RingConsumer>]
    var waits = ScoreWaits()
    /// Runs while answers wait for a score. Set once, with the table.
    private(set) var scoreTimer: LoopTimer!
    var isScoreTimerRunning = false
    let sender: Sender
    var route: BeaconRoute
    var bundle = SliceBundle()
    /// What is refused, on its way to the journal.
    let rejections: Rejections
    var inflater = Inflater()
    var inflated = ByteBuffer(capacity: 64 * 1024, limit: Limits.inflatedBytesMaximum)
    var servers: ServerRoute
    var inflatedOfServers = ByteBuffer(capacity: 16, limit: Limits.serverBodyBytesMaximum)
    var response: ResponseWriter
    /// Header lines of the answer being written that are not the same for everybody.
    var lines = ByteBuffer(capacity: 256, limit: 1024)
    /// What decides about the request under way.
    private(set) var edge: EdgeBoard.Copy
    private var sessions: [UnsafeMutablePointer<HTTPSession>] = []
    /// Each connection's request under way is its last.
    private(set) var isDraining = false
    /// What the table had counted at the last tick.
    private var accepted: UInt64 = 0
    private var closed = CloseCounts()
    var metricsPage = MetricsPage()

    init(
        _ around: Surroundings,
        loop: EventLoop,
        limits: ConnectionLimits,
        toJournal: consuming RingProducer,
        fromJournal: consuming RingConsumer,
        fromWorkers: [Owned<RingConsumer>] = []
    ) {
        self.around = around
        self.loop = loop
        let name = "hg-listener-\(around.index)"
        counters = around.metrics.makeBlock(thread: name)
        acknowledgeTimes = around.metrics.makeHistogram(.acknowledge, thread: name)
        self.toJournal = toJournal
        self.fromJournal = fromJournal
        self.fromWorkers = fromWorkers
        edge = around.board.copy()
        rejections = Rejections(counters: counters)
        sender = Sender(edge.edge, salts: around.salts)
        let sealer = Sealer(
            keys: around.sealKeys,
            secret: around.pseudonymSecret,
            counters: counters
        )
        route = BeaconRoute(
            sites: edge.edge.sites,
            sender: sender,
            counters: counters,
            rejections: rejections,
            sealer: sealer,
            meter: around.meter
        )
        servers = ServerRoute(
            sites: edge.edge.sites,
            sender: sender,
            secret: around.pseudonymSecret,
            counters: counters,
            rejections: rejections,
            sealer: sealer,
            meter: around.meter
        )
        response = ResponseWriter(epochMilliseconds: around.time.epochMilliseconds())
        connections = ConnectionTable(
            loop: loop,
            handler: self,
            connectionsMaximum: limits.connectionsMaximum,
            heldBytesMaximum: limits.heldBytesMaximum
        )
        scoreTimer = LoopTimer(loop: loop) { [unowned self] in answerOverdue() }
        applyEdge()
    }

    /// The loop ends.
    func close() {
        scoreTimer.close()
        connections.closeAll()
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
            session.pointee.chunked = ChunkedRequest(
                head: bytes[0..<head.length],
                bodyBytesMaximum: bodyBytesMaximum(head.path)
            )
            return Handled(consumed: head.length, awaitsBody: true, kept: head.length)
        }
        if length > bodyBytesMaximum(head.path) {
            refuse(.bodyTooLarge, at: "Content-Length", connection)
            return Handled(consumed: bytes.count, pauses: true)
        }
        guard bytes.count >= head.length + length else {
            sendContinue(head, connection, session)
            return Handled(consumed: 0, wanted: head.length + length, awaitsBody: true)
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
            guard request.decoder.isDone else {
                return Handled(consumed: taken, awaitsBody: true, kept: request.memory)
            }
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
        if !head.path.equals("/metrics") { metricsPage.forget() }
        counters.add(.requests)
        counters.add(.requestBytes, head.length + body.count)
        session.pointee.hasContinued = false
        let mayGoOn = session.pointee.countRequest() < Limits.requestsPerConnectionMaximum
        session.pointee.park(keepsAlive: head.keepsAlive && mayGoOn && !isDraining)
        // Between two requests, so that each sees one reading of the settings as a whole.
        if around.board.refresh(&edge) { applyEdge() }
        noteClient(head, connection)
        if isBeaconPath(head.path) {
            defer { if rejections.flush(into: &toJournal) { around.journalWaker.wake() } }
            return serveBeacon(head, body, connection, session)
        }
        if let endpoint = WireEndpoint(path: head.path) {
            defer { if rejections.flush(into: &toJournal) { around.journalWaker.wake() } }
            return serveSender(endpoint, head, body, connection, session)
        }
        if head.path.starts(with: "/r/") { return serveLink(head, connection, session) }
        serveOther(head, connection, keepsAlive: session.pointee.parked.keepsAlive)
        return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
    }

    // MARK: - Connections

    func closed(_ connection: ConnectionID) {
        guard Int(connection.slot) < sessions.count else { return }
        waits.end(sessions[Int(connection.slot)].pointee.parked.scoreWait)
        sessions[Int(connection.slot)].pointee.forget()
    }

    func gaveUp(_ connection: ConnectionID, because refusal: RequestRefusal) {
        waits.end(session(connection).pointee.parked.scoreWait)
        session(connection).pointee.forget()
        refuse(BeaconProblems.problem(of: refusal), at: "request", connection)
    }

    func session(_ connection: ConnectionID) -> UnsafeMutablePointer<HTTPSession> {
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
        // New connections get new certificates also when nobody asks anything.
        if around.board.refresh(&edge) { applyEdge() }
        counters.add(.connectionsAccepted, Int(connections.acceptedCount - accepted))
        accepted = connections.acceptedCount
        closed.report(connections, to: counters)
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
