import Bytes
import Intake
import Journal
import Settings
import Telemetry
import Units
import Wire

/// What requests are answered with, at once or when the journal has spoken.
extension Listener {
    // MARK: - What the journal says

    /// Answers what the journal has made durable, or refused. Called when its waker fires.
    func drainAnswers() {
        fromJournal.drain(limit: .max) { frame in
            let connection = ConnectionID(word: frame.first)
            guard connections.isOpen(connection) else { return }
            let session = session(connection)
            note(frame.kind, session)
            guard session.pointee.parked.outstanding == 0 else { return }
            if let failure = session.pointee.parked.failure {
                waits.end(session.pointee.parked.scoreWait)
                conclude(failure, connection, session)
            } else {
                counters.add(.eventsAcknowledged, Int(session.pointee.parked.events))
                if awaitsScore(connection, session) { return }
                acknowledge(connection, session, position: (frame.second, frame.third))
                conclude(connection, session)
            }
        }
    }

    /// Notes what became of one slice of a request.
    private func note(_ kind: UInt32, _ session: UnsafeMutablePointer<HTTPSession>) {
        let failure: Problem?
        switch JournalAnswer(rawValue: kind) {
        case .durable: failure = nil
        case .full: failure = .journalFull
        case .tooScattered: failure = .windowGapsExceeded
        case .tooLarge: failure = .batchTooLarge
        case nil: invariantFailed("an unknown answer of the journal", #fileID, #line)
        }
        session.pointee.park { parked in
            parked.outstanding -= 1
            if let failure { parked.failure = failure }
        }
    }

    func acknowledge(
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>,
        position: (segment: UInt64, end: UInt64)?
    ) {
        counters.add(.batchesAcknowledged)
        let parked = session.pointee.parked
        lines.reset()
        parked.cookie.append(to: &lines)
        withFrame(parked) { plain in
            var frame = plain
            frame.lines = lines.view
            switch parked.success {
            case .noContent:
                response.noContent(frame, position: around.tracesPositions ? position : nil)
            case .body(let type):
                response.content(type: type, body: session.pointee.body.view, frame)
            case .image: response.image(frame)
            }
        }
        if parked.receivedAtNanoseconds > 0 {
            acknowledgeTimes.record(
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

    func conclude(
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
        if row.closes { session.pointee.park { $0.keepsAlive = false } }
        counters.add(problem)
        withFrame(session.pointee.parked) { frame in
            if case .image = session.pointee.parked.success {
                response.image(frame, problem: problem)
            } else {
                response.problem(problem, at: "journal", frame)
            }
        }
        send(to: connection)
        conclude(connection, session)
    }

    // MARK: - Answers without the journal

    /// Answers with a problem; true when the connection must take nothing more.
    func answer(_ refusal: Refusal, _ connection: ConnectionID, origin: ByteView) -> Bool {
        counters.add(refusal.problem)
        let session = session(connection)
        let keepsAlive = session.pointee.parked.keepsAlive && !refusal.problem.row.closes
        // A browser may read a refusal whatever site it is for; it holds nothing about anybody.
        let frame = ResponseWriter.Frame(
            keepsAlive: keepsAlive,
            allowedOrigin: origin.isEmpty ? .empty : ByteView("*")
        )
        if case .image = session.pointee.parked.success {
            response.image(frame, problem: refusal.problem)
        } else {
            response.problem(
                refusal.problem,
                at: refusal.place,
                retryAfterSeconds: refusal.retryAfterSeconds,
                frame
            )
        }
        send(to: connection)
        return finish(connection, keepsAlive: keepsAlive)
    }

    /// Refuses a request whose framing is broken; nothing more can be read from its connection.
    func refuse(_ problem: Problem, at place: String, _ connection: ConnectionID) {
        metricsPage.forget()
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

    /// A request for the place of beacons that brings none: a preflight, or a mistake.
    func serveWithoutBeacon(
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        let keepsAlive = session.pointee.parked.keepsAlive
        guard head.method == .options else {
            sendProblem(.methodNotAllowed, head, connection, keepsAlive)
            return finish(connection, keepsAlive: keepsAlive)
        }
        // A preflight has no key, so it is answered for the sites together; the request itself is
        // then held against its own site.
        let isAllowed = edge.edge.sites.allowsSomewhere(origin: head.origin)
        response.preflight(
            ResponseWriter.Frame(
                keepsAlive: keepsAlive,
                allowedOrigin: isAllowed ? head.origin : .empty
            )
        )
        send(to: connection)
        return finish(connection, keepsAlive: keepsAlive)
    }
}
