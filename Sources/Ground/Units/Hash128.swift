import Glibc

/// A 128-bit keyed hash (SipHash-1-3-128, Aumasson and Bernstein 2012) that stands for a text in a table.
///
/// Tables keyed by input use a key drawn at start, so that nobody outside can make keys collide.
public struct Hash128: Hashable, Sendable {
    /// The first 64 bits.
    public let low: UInt64
    /// The second 64 bits.
    public let high: UInt64

    /// Takes two words as they are.
    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Hashes `bytes` under `key`.
    public init(_ bytes: UnsafeRawBufferPointer, key: HashKey) {
        var state = SipState(key)
        let count = bytes.count
        var index = 0
        while index &+ 8 <= count {
            state.absorb(
                UInt64(
                    littleEndian: unsafe bytes.loadUnaligned(
                        fromByteOffset: index,
                        as: UInt64.self
                    )
                )
            )
            index &+= 8
        }
        var last = UInt64(truncatingIfNeeded: count) &<< 56
        var shift: UInt64 = 0
        while index < count {
            last |= UInt64(unsafe bytes[index]) &<< shift
            shift &+= 8
            index &+= 1
        }
        state.absorb(last)
        self = state.finish()
    }
}

/// The secret of a keyed hash.
public struct HashKey: Sendable {
    let first: UInt64
    let second: UInt64

    /// A key with known words, for tests and for values that must agree between processes.
    public init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The key's words, for files whose order it decides.
    public var words: (first: UInt64, second: UInt64) { (first, second) }

    /// A key that nobody outside this process knows.
    public static func random() -> HashKey {
        var generator = SystemRandomNumberGenerator()
        return HashKey(first: generator.next(), second: generator.next())
    }
}

private struct SipState {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ key: HashKey) {
        v0 = 0x736f_6d65_7073_6575 ^ key.first
        v1 = 0x646f_7261_6e64_6f6d ^ key.second ^ 0xee
        v2 = 0x6c79_6765_6e65_7261 ^ key.first
        v3 = 0x7465_6462_7974_6573 ^ key.second
    }

    @inline(__always)
    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    mutating func finish() -> Hash128 {
        v2 ^= 0xee
        round()
        round()
        round()
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        round()
        round()
        round()
        return Hash128(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = rotate(v1, 13) ^ v0
        v0 = rotate(v0, 32)
        v2 = v2 &+ v3
        v3 = rotate(v3, 16) ^ v2
        v0 = v0 &+ v3
        v3 = rotate(v3, 21) ^ v0
        v2 = v2 &+ v1
        v1 = rotate(v1, 17) ^ v2
        v2 = rotate(v2, 32)
    }

    @inline(__always)
    private func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 {
        (word &<< bits) | (word &>> (64 &- bits))
    }
}
