/// What a connection to Redis is doing, as a value: decides, never acts.
///
/// ```
/// idle ─start─▶ connecting ─opened─▶ greeting ─greeted─▶ ready
///   ▲               │ failed            │ failed            │ failed
///   └───stop        └──▶ waiting ◀──────┴───────────────────┘
///                          └─retry─▶ connecting
/// ```
struct RedisLinkState {
    enum Phase: Equatable {
        case idle, waiting, connecting, greeting, ready
    }

    enum Event: Equatable {
        case start, opened, greeted, retry, stop
        case failed(random: UInt64)
    }

    enum Action: Equatable {
        case none, connect, greet, announce
        case wait(milliseconds: UInt64, wasReady: Bool)
        case close
    }

    private(set) var phase = Phase.idle
    private var backoff = Backoff()

    mutating func take(_ event: Event) -> Action {
        switch (phase, event) {
        case (.idle, .start), (.waiting, .retry): return move(to: .connecting, .connect)
        case (.connecting, .opened): return move(to: .greeting, .greet)
        case (.greeting, .greeted):
            backoff.succeeded()
            return move(to: .ready, .announce)
        case (.connecting, .failed(let random)), (.greeting, .failed(let random)),
            (.ready, .failed(let random)):
            let wasReady = phase == .ready
            return move(
                to: .waiting,
                .wait(milliseconds: backoff.next(random: random), wasReady: wasReady)
            )
        case (.idle, .stop): return .none
        case (_, .stop): return move(to: .idle, .close)
        default: return .none
        }
    }

    private mutating func move(to next: Phase, _ action: Action) -> Action {
        phase = next
        return action
    }
}
