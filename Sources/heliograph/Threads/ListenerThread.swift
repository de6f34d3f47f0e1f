import Intake
import Loop
import Rings
import Settings

/// Runs a listener on its loop, and ends it when asked: no new connections, what is under way is
/// answered, then nothing is left. Owned by the listener's thread.
final class ListenerThread {
    private let listener: Listener
    private let loop: EventLoop
    private let acceptor: Acceptor
    private let stop: StopSignal
    private var isDraining = false
    private var drainedAt: UInt64 = 0

    init(_ listener: Listener, loop: EventLoop, socket: ListeningSocket, stop: StopSignal) {
        self.listener = listener
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
            drainedAt = loop.nowMilliseconds
            acceptor.close()
            listener.drain()
            watchTheEnd()
        }
    }

    /// Looks every few milliseconds whether the last connection has gone.
    private func watchTheEnd() {
        _ = loop.every(milliseconds: 10) { [unowned self] in
            listener.connections.closeIdle()
            let waited = loop.nowMilliseconds - drainedAt
            if listener.connections.openCount == 0
                || waited > UInt64(Limits.drainDeadlineMilliseconds / 2)
            {
                loop.stop()
            }
        }
    }
}
