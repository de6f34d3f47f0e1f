import Dispatch
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

/// Whether the server is starting, listening, stopping or done, known to all threads.
final class CompanionLifecycle: Sendable {
    private struct State {
        var port: Int?
        var failure: String?
        var isSettled = false
        var isStopping = false
        var isRunning = false
        var whenSettled: (@Sendable () -> Void)?
        var group: ServiceGroup?
    }

    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// The port that is listened at.
    var port: Int? { state.withLock { $0.port } }

    /// Why starting failed.
    var failure: String? { state.withLock { $0.failure } }

    /// Calls `body` once the server listens or will never do so.
    func whenSettled(_ body: @escaping @Sendable () -> Void) {
        let isSettled = state.withLock { state in
            if !state.isSettled { state.whenSettled = body }
            return state.isSettled
        }
        if isSettled { body() }
    }

    /// The server listens at `port`, or with nil has ended.
    func settle(_ port: Int?) {
        let (body, hasEnded) = state.withLock { state in
            let hasEnded = port == nil && state.isRunning
            state.isRunning = port != nil
            state.port = port
            state.isSettled = true
            defer { state.whenSettled = nil }
            return (state.whenSettled, hasEnded)
        }
        body?()
        if hasEnded { ended.signal() }
    }

    /// Starting failed.
    func fail(_ reason: String) { state.withLock { $0.failure = reason } }

    /// Runs the application until `stop`.
    func run(_ application: some ApplicationProtocol, log: Logger) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [application],
                gracefulShutdownSignals: [],
                logger: log
            )
        )
        let isStopping = state.withLock { state in
            state.group = group
            return state.isStopping
        }
        if isStopping { return }
        try await group.run()
    }

    /// Asks the server to end.
    func stop() {
        let group = state.withLock { state in
            state.isStopping = true
            defer { state.group = nil }
            return state.group
        }
        guard let group else { return }
        Task { await group.triggerGracefulShutdown() }
    }

    /// Waits until a server that was listening has ended.
    func waitUntilEnded(milliseconds: Int) {
        if state.withLock({ !$0.isRunning }) { return }
        _ = ended.wait(timeout: .now() + .milliseconds(milliseconds))
    }
}
