import Units

/// The visitors of a partition, in chunks that never move: in the order of their first appearance,
/// but for those who took the place of one that has left.
///
/// Chunks, and not one growing array, so that memory is never more than a chunk ahead of need and
/// growing copies nothing. Whoever stays keeps its place, since others know it by that. All pointer arithmetic of this module is here.
@safe
struct VisitorSlab: ~Copyable {
    static let chunkVisitors = 16

    private var chunks: UnsafeMutablePointer<UnsafeMutablePointer<VisitorState>>
    private var chunkCapacity = 16
    /// Places in use or free.
    private(set) var count = 0
    /// Places that visitors have left, the last to be taken first.
    private var free: [UInt32] = []

    init() { unsafe chunks = UnsafeMutablePointer.allocate(capacity: 16) }

    deinit {
        for chunk in 0..<usedChunks { unsafe chunks[chunk].deallocate() }
        unsafe chunks.deallocate()
    }

    private var usedChunks: Int { (count &+ Self.chunkVisitors &- 1) / Self.chunkVisitors }

    /// Bytes that the slab holds.
    var bytes: Int {
        usedChunks * Self.chunkVisitors * MemoryLayout<VisitorState>.stride + free.capacity * 4
    }

    /// How many visitors there are.
    var visitors: Int { count &- free.count }

    /// Adds a visitor and returns its index.
    mutating func add(_ state: VisitorState) -> Int {
        if let place = free.popLast() {
            self[Int(place)] = state
            return Int(place)
        }
        return append(state)
    }

    /// Frees the place of a visitor.
    mutating func remove(_ index: Int) {
        invariant(self[index].site != VisitorState.siteOfNobody, "a place is freed twice")
        self[index].site = VisitorState.siteOfNobody
        free.append(UInt32(index))
    }

    private mutating func append(_ state: VisitorState) -> Int {
        if count == usedChunks * Self.chunkVisitors { addChunk() }
        let index = count
        count &+= 1
        unsafe (chunks[index / Self.chunkVisitors] + index % Self.chunkVisitors).initialize(
            to: state
        )
        return index
    }

    private mutating func addChunk() {
        let used = usedChunks
        if used == chunkCapacity { growDirectory() }
        unsafe (chunks + used).initialize(
            to: UnsafeMutablePointer<VisitorState>.allocate(capacity: Self.chunkVisitors)
        )
    }

    private mutating func growDirectory() {
        let larger = UnsafeMutablePointer<UnsafeMutablePointer<VisitorState>>.allocate(
            capacity: chunkCapacity * 2
        )
        unsafe larger.moveInitialize(from: chunks, count: chunkCapacity)
        unsafe chunks.deallocate()
        unsafe chunks = larger
        chunkCapacity *= 2
    }

    /// The visitor at `index`, in place.
    subscript(index: Int) -> VisitorState {
        @inline(__always)
        _read {
            invariant(index >= 0 && index < count, "visitor index outside the slab")
            yield unsafe chunks[index / Self.chunkVisitors][index % Self.chunkVisitors]
        }
        @inline(__always)
        _modify {
            invariant(index >= 0 && index < count, "visitor index outside the slab")
            yield unsafe &chunks[index / Self.chunkVisitors][index % Self.chunkVisitors]
        }
    }
}
