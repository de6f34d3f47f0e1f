import Synchronization
import Units

/// A fixed row of 64-bit words that any thread may read and change, each on its own.
///
/// For state that is shared but never handed over: counters, clocks of rate limits. All operations are
/// relaxed: a word says nothing about other memory.
public final class AtomicWords: Sendable {
    // The memory is never resized and lives as long as the row; every access is atomic.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    /// Words in the row.
    public let count: Int

    /// A row of `count` zeros.
    public init(count: Int) {
        invariant(count > 0, "a row of words holds at least one")
        self.count = count
        words = .allocate(capacity: count)
        for index in 0..<count { (words + index).initialize(to: Atomic(0)) }
    }

    deinit {
        words.deinitialize(count: count)
        words.deallocate()
    }

    /// The word at `index`.
    public func load(_ index: Int) -> UInt64 {
        invariant(index >= 0 && index < count, "a word outside its row")
        return words[index].load(ordering: .relaxed)
    }

    /// Replaces the word at `index` if it still is `expected`.
    public func replace(_ index: Int, _ expected: UInt64, by desired: UInt64) -> Bool {
        invariant(index >= 0 && index < count, "a word outside its row")
        return words[index].compareExchange(
            expected: expected,
            desired: desired,
            ordering: .relaxed
        ).exchanged
    }

    /// Overwrites the word at `index`.
    public func store(_ index: Int, _ word: UInt64) {
        invariant(index >= 0 && index < count, "a word outside its row")
        words[index].store(word, ordering: .relaxed)
    }
}
