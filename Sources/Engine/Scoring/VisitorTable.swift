import Bytes
import Units

/// From (site, visitor) to the visitor's place in the slab: open addressing with linear probing over
/// a keyed 128-bit hash, 32 bits of which stand in the table; the text in the slab decides.
///
/// The key is nobody else's, so that nobody outside can make visitors collide; the order of the slab,
/// and with it every byte of a checkpoint, does not depend on it. Visitors that have left memory are
/// found by the same hash, so a partition keeps its key for as long as it has any.
struct VisitorTable: ~Copyable {
    private struct Entry: BitwiseCopyable {
        var tag: UInt32 = 0
        /// Index in the slab plus one; 0 when free.
        var place: UInt32 = 0
    }

    static var entryBytes: Int { MemoryLayout<Entry>.stride }

    private var entries: [Entry]
    let key: HashKey
    private var slab = VisitorSlab()

    init(key: HashKey) {
        self.key = key
        entries = Array(repeating: Entry(), count: 32)
    }

    /// How many visitors there are.
    var count: Int { slab.visitors }

    /// Indexes are below this; some may be nobody's.
    var indexEnd: Int { slab.count }

    /// Whether there is a visitor at `index`.
    func isVisitor(_ index: Int) -> Bool { slab[index].site != VisitorState.siteOfNobody }

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
        find(visitor, site: site, hash(visitor, site))
    }

    /// The same, when the hash is known.
    @inline(__always)
    func find(_ visitor: ByteView, site: UInt16, _ hash: Hash128) -> Int? {
        place(hash, visitor, site).index
    }

    /// Adds a visitor that is not known, and returns its index.
    mutating func add(_ state: VisitorState, _ hash: Hash128) -> Int {
        let index = slab.add(state)
        insert(index, hash)
        if count &* 4 > entries.count &* 3 { grow() }
        return index
    }

    /// Forgets the visitor at `index`, whose place another may take.
    mutating func remove(_ index: Int) {
        let site = slab[index].site
        let hash = slab[index].visitor.withBytes { self.hash($0, site) }
        let slot = slab[index].visitor.withBytes { place(hash, $0, site).slot }
        closeGap(slot)
        slab.remove(index)
    }

    /// The hash that finds the visitor at `index`.
    func hash(of index: Int) -> Hash128 {
        let site = slab[index].site
        return slab[index].visitor.withBytes { hash($0, site) }
    }

    private mutating func insert(_ index: Int, _ hash: Hash128) {
        let mask = entries.count &- 1
        var slot = Int(truncatingIfNeeded: hash.low) & mask
        while entries[slot].place != 0 { slot = (slot &+ 1) & mask }
        entries[slot] = Entry(tag: Self.tag(hash), place: UInt32(index &+ 1))
    }

    /// Empties a slot and moves up those behind it that it kept from their own (Knuth, volume 3,
    /// section 6.4, algorithm R), so that no probing ends too early.
    private mutating func closeGap(_ start: Int) {
        let mask = entries.count &- 1
        var gap = start
        var slot = start
        while true {
            slot = (slot &+ 1) & mask
            guard entries[slot].place != 0 else { break }
            let home = Int(truncatingIfNeeded: hash(of: Int(entries[slot].place) &- 1).low) & mask
            if (slot &- home) & mask >= (slot &- gap) & mask {
                entries[gap] = entries[slot]
                gap = slot
            }
        }
        entries[gap] = Entry()
    }

    private static func tag(_ hash: Hash128) -> UInt32 { UInt32(truncatingIfNeeded: hash.high) }

    /// The hash that finds a visitor, in memory and in cold files.
    @inline(__always)
    func hash(_ visitor: ByteView, _ site: UInt16) -> Hash128 {
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
        for index in 0..<slab.count where isVisitor(index) { insert(index, hash(of: index)) }
    }
}
