import Intake
import Loop
import Rings
import Settings
import Units

/// Runs a listener on its loop, and ends it when asked: no new connections, what is under way is
/// answered, then nothing is left. Owned by the listener's thread.
final class ListenerThread {
    private let listener: Listener
    private let loop: EventLoop
    private let acceptor: Acceptor
    private let stop: StopSignal
    private let time: TimeSource
    private var isDraining = false

    init(
        _ listener: Listener,
        loop: EventLoop,
        socket: ListeningSocket,
        stop: StopSignal,
        time: TimeSource
    ) {
        self.listener = listener
        self.time = time
        self.loop = loop
        self.stop = stop
        acceptor = Acceptor(
            socket,
            into: listener.connections,
            backlog: Int32(Limits.listenBacklog)
        )
    }

    func run() {
        let watch = loop.watch(readable: stop.waker.descriptor) { [unowned self] in wake() }
        let timer = loop.every(milliseconds: 1_000) { [unowned self] in listener.tick() }
        stop.waker.prepareToSleep()
        loop.run()
        // Whoever does not read its answer is still there, and its handle is the table's to close.
        listener.connections.closeAll()
        watch.close()
        timer.close()
        acceptor.close()
        loop.close()
    }

    private func wake() {
        stop.waker.acknowledge()
        // Armed before the ring is read: what arrives while we read wakes us once more.
        stop.waker.prepareToSleep()
        listener.drainAnswers()
        if stop.isRequested { drain() }
    }

    private func drain() {
        if !isDraining {
            isDraining = true
            acceptor.close()
            listener.drain()
            watchTheEnd()
        }
    }

    /// Looks every few milliseconds whether the last connection has gone.
    private func watchTheEnd() {
        _ = loop.every(milliseconds: 10) { [unowned self] in
            listener.connections.closeIdle()
            if listener.connections.openCount == 0 || stop.isOverdue(at: time) { loop.stop() }
        }
    }
}
