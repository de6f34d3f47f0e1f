import Bytes
import Units

/// From (site, visitor) to the visitor's place in the slab: open addressing with linear probing over
/// a keyed 128-bit hash, 32 bits of which stand in the table; the text in the slab decides.
///
/// The key is the process's own, so that nobody outside can make visitors collide; the order of the
/// slab, and with it every byte of a checkpoint, does not depend on it.
struct VisitorTable: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var tag: UInt32 = 0
        /// Index in the slab plus one; 0 when free.
        var place: UInt32 = 0
    }

    private var entries: [Entry]
    private let key: HashKey
    private var slab = VisitorSlab()

    init(key: HashKey) {
        self.key = key
        entries = Array(repeating: Entry(), count: 32)
    }

    /// How many visitors there are.
    var count: Int { slab.count }

    /// Bytes that table and slab hold.
    var bytes: Int { slab.bytes + entries.count * MemoryLayout<Entry>.stride }

    /// The visitor at `index`, in place.
    subscript(index: Int) -> VisitorState {
        @inline(__always)
        _read { yield slab[index] }
        @inline(__always)
        _modify { yield &slab[index] }
    }

    /// The index of a visitor that is known.
    func find(_ visitor: ByteView, site: UInt16) -> Int? {
        place(hash(visitor, site), visitor, site).index
    }

    /// The index of a visitor, who is added when new. `text` is `visitor` as short text.
    mutating func findOrAdd(_ visitor: ByteView, _ text: () -> ShortText, site: UInt16) -> Int {
        let hash = hash(visitor, site)
        let found = place(hash, visitor, site)
        if let index = found.index { return index }
        var state = VisitorState()
        state.visitor = text()
        state.site = site
        let index = slab.append(state)
        entries[found.slot] = Entry(tag: Self.tag(hash), place: UInt32(index &+ 1))
        if slab.count &* 4 > entries.count &* 3 { grow() }
        return index
    }

    private static func tag(_ hash: Hash128) -> UInt32 { UInt32(truncatingIfNeeded: hash.high) }

    private func hash(_ visitor: ByteView, _ site: UInt16) -> Hash128 {
        let plain = visitor.hash128(key: key)
        let mixed = UInt64(site) &* 0x9e37_79b9_7f4a_7c15
        return Hash128(low: plain.low ^ mixed, high: plain.high &+ mixed)
    }

    private func place(
        _ hash: Hash128,
        _ visitor: ByteView,
        _ site: UInt16
    ) -> (slot: Int, index: Int?) {
        let mask = entries.count &- 1
        var slot = Int(truncatingIfNeeded: hash.low) & mask
        while entries[slot].place != 0 {
            let index = Int(entries[slot].place) &- 1
            if entries[slot].tag == Self.tag(hash), matches(index, visitor, site) {
                return (slot, index)
            }
            slot = (slot &+ 1) & mask
        }
        return (slot, nil)
    }

    private func matches(_ index: Int, _ visitor: ByteView, _ site: UInt16) -> Bool {
        slab[index].site == site && slab[index].visitor.withBytes { $0.equals(visitor) }
    }

    private mutating func grow() {
        entries = Array(repeating: Entry(), count: entries.count * 2)
        for index in 0..<slab.count {
            let site = slab[index].site
            let hash = slab[index].visitor.withBytes { self.hash($0, site) }
            var slot = Int(truncatingIfNeeded: hash.low) & (entries.count &- 1)
            while entries[slot].place != 0 { slot = (slot &+ 1) & (entries.count &- 1) }
            entries[slot] = Entry(tag: Self.tag(hash), place: UInt32(index &+ 1))
        }
    }
}
