public import Bytes
public import Records
public import Units

/// What looking for a state that has left memory comes to.
public enum ColdAnswer: Sendable {
    /// There is none, or none any more.
    case absent
    /// Its bytes are alone in the buffer.
    case found
    /// The disk does not answer now.
    case unreadable
}

/// Looks for a state that has left memory, by the hash of its visitor.
public typealias ColdRecall = (Hash128, inout ByteBuffer) -> ColdAnswer

/// A visitor's state outside memory: the version of checkpoints that it is of (one byte), and the
/// bytes that it would have there.
public struct ColdState: Sendable {
    /// No state takes more.
    public static let bytesMaximum = 2 * VisitorState.bytesMaximum
    /// Room that a recall has in its buffer, also for what stands around the state.
    public static let recallBytesMaximum = 64 * 1024
    /// How long a state that nobody comes back for must be kept, so that dropping it cannot be told
    /// from keeping it: its life, and the longest that a refused event may be replayed with its old
    /// time (`Limits.rejectedDaysMaximum`) with a week to spare.
    public static let keptMilliseconds = VisitorState.lifeMilliseconds + 97 * 86_400_000

    var state = VisitorState()

    /// Reads a state; nil when the bytes are not one.
    public init?(_ bytes: ByteView) {
        var reader = StateReader(bytes)
        var version: UInt8 = 0
        reader.field(&version)
        guard 1...PartitionFold.checkpointVersion ~= UInt32(version) else { return nil }
        state.encode(&reader, version: UInt32(version))
        guard reader.isAtEnd else { return nil }
    }
}

extension PartitionFold {
    /// Where a visitor is.
    enum Found: Equatable {
        /// In memory, at this index.
        case known(Int)
        /// Nowhere: it is new.
        case unknown(Hash128)
        /// Perhaps among the states that have left memory, which cannot be read now.
        case unreadable

        var index: Int? {
            if case .known(let index) = self { return index }
            return nil
        }
    }

    /// From now on states that are not in memory are looked for with `recall`.
    public mutating func attach(_ recall: @escaping ColdRecall) { self.recall = recall }

    /// The index of a visitor, taken back into memory if it had left; nil when it is not known, or
    /// cannot be read now.
    public mutating func recalledIndex(site: ByteView, visitor: ByteView) -> Int32? {
        if let index = index(site: site, visitor: visitor) { return index }
        guard let number = sites.firstIndex(where: { $0.withBytes { $0.equals(site) } }) else {
            return nil
        }
        let hash = table.hash(visitor, UInt16(number))
        return fetch(visitor, UInt16(number), hash).index.map { Int32($0) }
    }

    /// Takes a state back into memory.
    mutating func fetch(_ visitor: ByteView, _ site: UInt16, _ hash: Hash128) -> Found {
        guard let recall else { return .unknown(hash) }
        switch recall(hash, &recalled) {
        case .absent: return .unknown(hash)
        case .unreadable: return .unreadable
        case .found: break
        }
        guard let cold = ColdState(recalled.view), cold.state.site == site,
            cold.state.visitor.withBytes({ $0.equals(visitor) })
        else { return .unknown(hash) }
        return .known(table.add(cold.state, hash))
    }

    // MARK: - Leaving memory

    /// A visitor that is on its way out of memory: it has left only when nothing has changed it since.
    public struct Leaver: Sendable {
        let index: Int32
        let offset: UInt64
    }

    /// Hands the states of the `count` visitors unseen for longest to `body`: the hash that finds the
    /// state, when and by which record it was changed last, and its bytes. Visitors that `isHeld`, by
    /// their index, are left alone. Nobody leaves before `release`.
    public func leavers(
        _ count: Int,
        isHeld: (Int32) -> Bool,
        _ body: (Hash128, Int64, UInt64, ByteView) -> Void
    ) -> [Leaver] {
        var buffer = ByteBuffer(capacity: 1024, limit: ColdState.bytesMaximum)
        return idle(count, isHeld).map { index in
            buffer.reset()
            var state = table[Int(index)]
            buffer.append(UInt8(Self.checkpointVersion))
            state.encode(&buffer)
            invariant(!buffer.overflowed, "a state outgrew its room")
            body(table.hash(of: Int(index)), state.updatedAt, state.offset, buffer.view)
            return Leaver(index: index, offset: state.offset)
        }
    }

    private func idle(_ count: Int, _ isHeld: (Int32) -> Bool) -> [Int32] {
        var candidates: [(time: Int64, index: Int32)] = []
        candidates.reserveCapacity(table.count)
        for index in 0..<table.indexEnd where table.isVisitor(index) {
            if !isHeld(Int32(index)) {
                candidates.append((table[index].updatedAt, Int32(index)))
            }
        }
        candidates.sort { $0.time != $1.time ? $0.time < $1.time : $0.index < $1.index }
        return candidates.prefix(count).map(\.index)
    }

    /// Forgets those whose state, as it was handed out, can now be found with the recall. Who was
    /// changed since or `isHeld` stays: what is in memory holds, whatever a file says. Returns how many
    /// have left.
    public mutating func release(_ leavers: [Leaver], isHeld: (Int32) -> Bool) -> Int {
        var count = 0
        for leaver in leavers {
            let index = Int(leaver.index)
            guard table.isVisitor(index), table[index].offset == leaver.offset,
                !isHeld(leaver.index)
            else { continue }
            table.remove(index)
            count += 1
        }
        return count
    }

    /// Indexes of visitors are below this; `isVisitor` says which are.
    public var indexEnd: Int32 { Int32(table.indexEnd) }

    /// Whether there is a visitor at `index`.
    public func isVisitor(_ index: Int32) -> Bool { table.isVisitor(Int(index)) }

    /// Bytes of memory that a visitor takes, its share of the table included.
    public static var visitorBytes: Int {
        MemoryLayout<VisitorState>.stride + 2 * VisitorTable.entryBytes
    }
}

// MARK: - Reading without memory

extension ColdState {
    /// Whether stores may hold a score of the visitor.
    public var isScored: Bool { state.signals.landmark != 0 }

    /// Whether the visitor's last record came from an automated browser.
    public var isAutomated: Bool { state.isAutomated }

    /// The visitor's id.
    public var visitor: ShortText { state.visitor }

    /// What can be said about the visitor as of the record last folded.
    public func reading(_ model: ScoringModel) -> Reading {
        state.reading(at: state.updatedAt, model)
    }

    /// Appends the packed state: at most `PackedState.bytesMaximum` bytes.
    public func pack(into buffer: inout ByteBuffer) { state.pack(into: &buffer) }
}

extension PartitionFold {
    /// The site of a state that has left this fold's memory; nil when it is not this fold's.
    public func site(of cold: ColdState) -> ShortText? {
        Int(cold.state.site) < sites.count ? sites[Int(cold.state.site)] : nil
    }

    /// Whether the visitor of a cold state is in memory, and where.
    public func index(of cold: ColdState) -> Int32? {
        let site = cold.state.site
        return cold.state.visitor.withBytes { table.find($0, site: site) }.map { Int32($0) }
    }
}
