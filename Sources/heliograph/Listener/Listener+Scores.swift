import Bytes
import Intake
import Records
import Settings
import Wire

/// Beacons whose answer brings the score that they made, for pages that react to it.
///
/// The answer waits for the journal like any other, then at most `Limits.scoreWaitMilliseconds` for the
/// worker. Whoever does not ask passes by with one comparison.
extension Listener {
    /// Begins the wait of a beacon that asks for the score; 0 when it does not, or may have none.
    func beginWait(_ head: RequestHead, _ connection: ConnectionID) -> UInt64 {
        guard !head.query.isEmpty, head.query.hasParameter("want=score"), route.mayHaveScore,
            !fromWorkers.isEmpty
        else { return 0 }
        return waits.begin(connection) ?? 0
    }

    /// The beacon is durable. True when its answer waits on, or has just been given with its score.
    func awaitsScore(
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        let wait = session.pointee.parked.scoreWait
        guard wait > 0 else { return false }
        let now = around.time.monotonicNanoseconds()
        let deadline = now + Int64(Limits.scoreWaitMilliseconds) * 1_000_000
        if let reply = waits.setDurable(wait, deadline: deadline) {
            answer(reply, wait, connection)
        } else if !isScoreTimerRunning {
            isScoreTimerRunning = true
            scoreTimer.start(afterMilliseconds: UInt64(Limits.scoreWaitMilliseconds))
        }
        return true
    }

    /// Answers with what the workers have said. Called when their waker fires.
    func drainScores() {
        for ring in fromWorkers {
            ring.value.drain(limit: .max) { frame in
                let reply = ScoreReply(frame)
                if let wait = waits.take(reply, frame.first) {
                    answer(reply, wait.number, wait.connection)
                }
            }
        }
    }

    /// Answers without a score whoever has waited long enough.
    func answerOverdue() {
        let now = around.time.monotonicNanoseconds()
        while let wait = waits.overdue(at: now) {
            answer(.nothing, wait.number, wait.connection)
        }
        isScoreTimerRunning = waits.count > 0
        if isScoreTimerRunning { scoreTimer.start(afterMilliseconds: Self.lookAgainMilliseconds) }
    }

    /// How exactly the waits after the first are ended.
    private static let lookAgainMilliseconds: UInt64 = 5

    /// Ends the wait, and answers its request if that is still the connection's.
    private func answer(_ reply: ScoreReply, _ number: UInt64, _ connection: ConnectionID) {
        waits.end(number)
        let session = session(connection)
        guard connections.isOpen(connection), session.pointee.parked.scoreWait == number else {
            return
        }
        session.pointee.park { $0.scoreWait = 0 }
        if case .reading = reply, case .noContent = session.pointee.parked.success {
            reply.append(to: &session.pointee.body)
            session.pointee.park { $0.success = .body(type: "application/json") }
        }
        acknowledge(connection, session, position: nil)
        conclude(connection, session)
    }
}
