import Intake
import Loop
import Rings
import Settings
import Units

/// A listener's socket on a port, and what connections to that port begin with.
struct ListeningPort: Sendable {
    let socket: ListeningSocket
    let kind: PortKind
}

/// Runs a listener on its loop, and ends it when asked: readiness has said no for a moment, then no
/// new connections, what is under way is answered, then nothing is left. Owned by the listener's
/// thread.
final class ListenerThread {
    private let listener: Listener
    private let loop: EventLoop
    private let acceptors: [Acceptor]
    private let stop: StopSignal
    private let time: TimeSource
    private let readinessLeadMilliseconds: Int
    /// Set once the signal to stop was seen.
    private var isStopping = false

    init(
        _ listener: Listener,
        loop: EventLoop,
        ports: [ListeningPort],
        stop: StopSignal,
        time: TimeSource,
        readinessLeadMilliseconds: Int
    ) {
        self.listener = listener
        self.time = time
        self.loop = loop
        self.stop = stop
        self.readinessLeadMilliseconds = readinessLeadMilliseconds
        acceptors = ports.map { port in
            Acceptor(
                port.socket,
                into: listener.connections,
                backlog: Int32(Limits.listenBacklog),
                kind: port.kind
            )
        }
    }

    func run() {
        let watch = loop.watch(readable: stop.waker.descriptor) { [unowned self] in wake() }
        let timer = loop.every(milliseconds: 1_000) { [unowned self] in listener.tick() }
        stop.waker.prepareToSleep()
        loop.run()
        // Whoever does not read its answer is still there, and its handle is the table's to close.
        listener.close()
        watch.close()
        timer.close()
        acceptors.forEach { $0.close() }
        loop.close()
    }

    private func wake() {
        stop.waker.acknowledge()
        // Armed before the ring is read: what arrives while we read wakes us once more.
        stop.waker.prepareToSleep()
        listener.drainAnswers()
        listener.drainScores()
        if stop.isRequested, !isStopping {
            isStopping = true
            announce()
        }
    }

    /// `/readyz` says no from here on. Beacons are taken a moment longer, so that a balancer turns
    /// elsewhere before a connection is refused.
    private func announce() {
        if readinessLeadMilliseconds == 0 { return drain() }
        LoopTimer(loop: loop) { [unowned self] in drain() }
            .start(afterMilliseconds: UInt64(readinessLeadMilliseconds))
    }

    private func drain() {
        acceptors.forEach { $0.close() }
        listener.drain()
        watchTheEnd()
    }

    /// Looks every few milliseconds whether the last connection has gone.
    private func watchTheEnd() {
        _ = loop.every(milliseconds: 10) { [unowned self] in
            listener.connections.closeIdle()
            if listener.connections.openCount == 0 || stop.isOverdue(at: time) { loop.stop() }
        }
    }
}
