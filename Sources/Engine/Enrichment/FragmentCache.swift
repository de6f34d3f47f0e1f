import Bytes
import Units

/// A bounded table from 64-bit hashes to short texts and a summary each: what was worked out about
/// a user agent or an address, ready to be copied.
///
/// Owned by one listener. Four places per hash; when all are taken, one of them is overwritten. The
/// hash is keyed and stands for the whole input: two inputs meet with a chance of 2⁻⁶⁴, and nobody
/// outside can seek such a pair.
struct FragmentCache<Summary: BitwiseCopyable>: ~Copyable {
    /// Places that one hash may take.
    private static var ways: Int { 4 }
    private let sets: Int
    private let fragmentBytes: Int
    private var keys: [UInt64]
    private var lengths: [UInt16]
    private var summaries: [Summary]
    private var fragments: [UInt8]
    /// Which place is overwritten next, counted up with each store.
    private var turn = 0

    init(entries: Int, fragmentBytes: Int, empty: Summary) {
        invariant(entries.nonzeroBitCount == 1 && entries >= Self.ways, "a power of two of places")
        sets = entries / Self.ways
        self.fragmentBytes = fragmentBytes
        keys = Array(repeating: 0, count: entries)
        lengths = Array(repeating: 0, count: entries)
        summaries = Array(repeating: empty, count: entries)
        fragments = Array(repeating: 0, count: entries * fragmentBytes)
    }

    /// Zero marks a free place, so no key is zero.
    static func key(_ hash: Hash128) -> UInt64 { max(hash.low, 1) }

    private func firstPlace(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: key) & (sets &- 1) &* Self.ways
    }

    /// The place of `key`; nil when it is not remembered.
    func place(_ key: UInt64) -> Int? {
        let first = firstPlace(key)
        for place in first..<first &+ Self.ways where keys[place] == key { return place }
        return nil
    }

    /// What is remembered at `place`.
    func summary(_ place: Int) -> Summary { summaries[place] }

    /// Appends the text at `place` from byte `offset` on.
    func append(_ place: Int, from offset: Int, into buffer: inout ByteBuffer) {
        unsafe fragments.withUnsafeBytes { bytes in
            let start = place &* fragmentBytes
            let text = unsafe ByteView(bytes)[start..<start &+ Int(lengths[place])]
            buffer.append(text[offset..<text.count])
        }
    }

    /// Remembers a text, which must not be longer than a place, and returns its place.
    mutating func store(_ key: UInt64, _ summary: Summary, _ fragment: ByteView) -> Int {
        invariant(fragment.count <= fragmentBytes, "a fragment longer than its place")
        let first = firstPlace(key)
        var place = first &+ turn & (Self.ways &- 1)
        turn &+= 1
        for free in first..<first &+ Self.ways where keys[free] == 0 {
            place = free
            break
        }
        keys[place] = key
        lengths[place] = UInt16(fragment.count)
        summaries[place] = summary
        for index in 0..<fragment.count {
            fragments[place &* fragmentBytes &+ index] = fragment[index]
        }
        return place
    }

    /// Forgets everything.
    mutating func clear() {
        for index in keys.indices { keys[index] = 0 }
    }
}
