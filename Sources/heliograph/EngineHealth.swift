import Synchronization

/// What all threads may know of the engine's state, for readiness and for stopping.
final class EngineHealth: Sendable {
    private let accepting = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)

    /// Whether beacons are taken: the journal is open and nobody is stopping us.
    var isReady: Bool {
        accepting.load(ordering: .relaxed) && !stopping.load(ordering: .relaxed)
    }

    /// Whether the engine has been told to stop.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// The journal is open.
    func startAccepting() { accepting.store(true, ordering: .relaxed) }

    /// The engine has been told to stop.
    func startStopping() { stopping.store(true, ordering: .relaxed) }
}
