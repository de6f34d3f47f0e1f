import Records
import Settings

/// The examples of one partition: opened at landmarks, closed when the horizon has passed, whatever
/// became of them. Part of the partition's fold: decided by its records alone.
///
/// A conversion is known at once, that none came only later. Examples of both kinds wait for the same
/// moment, or what was learned from lately would hold more conversions than there were.
///
/// Landmarks are fixed numbers of actions, the same for everybody. Cutting sessions where people buy
/// instead would teach the opposite of the truth: buyers reach the cart sooner.
struct LearnLedger: Sendable {
    /// In the order of their moments.
    private(set) var open: [LearnExample] = []
    /// Those whose outcome is known and that nobody has learned from for good.
    private(set) var closed: [LearnExample] = []
    /// Greatest `received_at` so far.
    private(set) var clock: Int64 = 0
    /// Closed examples from this sequence on are kept; nobody wants them until somebody says so.
    private var wantedFrom: UInt64 = .max

    /// Time passes: what becomes of an example is known when its horizon lies behind. What is known of an example is known at
    /// a moment of its own, no matter when somebody looked.
    @inline(__always)
    mutating func advance(to time: Int64, sequence: UInt64, _ rules: LearningRules) {
        clock = max(clock, time)
        guard let first = open.first,
            first.at < clock &- Int64(rules.horizonMilliseconds)
        else { return }
        expire(sequence, Int64(rules.horizonMilliseconds))
    }

    private mutating func expire(_ sequence: UInt64, _ horizon: Int64) {
        let count = open.prefix { $0.at < clock &- horizon }.count
        for example in open.prefix(count) {
            close(example, at: example.at + horizon + 1, sequence)
        }
        open.removeFirst(count)
    }

    private mutating func close(_ example: LearnExample, at time: Int64, _ sequence: UInt64) {
        guard sequence >= wantedFrom, closed.count < Limits.learnClosedMaximum else { return }
        var closing = example
        (closing.labelledAt, closing.sequence) = (time, sequence)
        closed.append(closing)
    }

    /// Waits for what becomes of an example, if there is room.
    mutating func keep(_ example: LearnExample) {
        if open.count < Limits.learnOpenMaximum { open.append(example) }
    }

    mutating func convert(_ owner: UInt64) {
        for index in open.indices where open[index].owner == owner { open[index].converted = true }
    }

    /// Nothing more is learned from somebody who does not want it.
    mutating func forget(_ owner: UInt64) { open.removeAll { $0.owner == owner } }

    /// Nothing at all stays of somebody who was erased.
    mutating func erase(_ owner: UInt64) {
        forget(owner)
        closed.removeAll { $0.owner == owner }
    }

    /// From now on closed examples from `sequence` on are kept, and those before it are not needed.
    mutating func want(from sequence: UInt64) {
        wantedFrom = sequence
        closed.removeAll { $0.sequence < sequence }
    }

    mutating func dropClosed() { closed.removeAll(keepingCapacity: true) }

    /// Bytes of memory.
    var memoryBytes: Int {
        (open.capacity + closed.capacity) * MemoryLayout<LearnExample>.stride
    }
}

extension LearnLedger {
    /// For checkpoints.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&clock)
        Self.encode(&open, &coder)
        Self.encode(&closed, &coder)
    }

    private static func encode<Coder: StateCoder & ~Copyable>(
        _ examples: inout [LearnExample],
        _ coder: inout Coder
    ) {
        var count = UInt32(examples.count)
        coder.field(&count)
        guard count <= Limits.learnOpenMaximum + Limits.learnClosedMaximum else { return }
        for index in 0..<Int(count) {
            if index == examples.count { examples.append(LearnExample()) }
            examples[index].encode(&coder)
        }
    }

    /// Whether examples that were read are of these sites.
    func isSound(sites: Int) -> Bool {
        (open + closed).allSatisfy { Int($0.site) < sites }
    }
}
