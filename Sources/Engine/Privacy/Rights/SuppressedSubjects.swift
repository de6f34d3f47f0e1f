public import Bytes
import Rings
import Synchronization
import Units

/// Subjects of whom nothing may be taken any more, as the journal's thread asks for each slice.
///
/// A table of tags with linear probing that only one thread changes and any thread reads, without a
/// lock: words are replaced one by one, and a reader that comes too early is told so by the order of
/// messages, because who changes the table then sends the journal a record through a ring. Tags are 64
/// bits of a keyed hash, so that nobody can make up a subject that stands for another.
public final class SuppressedSubjects: Sendable {
    private static let empty: UInt64 = 0
    private static let removed: UInt64 = 1

    /// What makes tags.
    public let key: SubjectKey
    private let words: AtomicWords
    private let held = Atomic<Int>(0)
    private let capacity: Int

    /// A table for `capacity` subjects; memory is taken as it is used.
    public init(key: SubjectKey, capacity: Int) {
        self.key = key
        self.capacity = capacity
        var size = 16
        while size < capacity * 2 { size *= 2 }
        words = AtomicWords(count: size)
    }

    /// Whether there is nobody to look for.
    @inline(__always)
    public var isEmpty: Bool { held.load(ordering: .relaxed) == 0 }

    /// How many subjects there are.
    public var count: Int { held.load(ordering: .relaxed) }

    /// Whether a slice of this visitor, or of this user, must not be taken.
    public func covers(site: ByteView, visitor: ByteView, user: ByteView) -> Bool {
        if contains(key.tag(.visitor, site: site, id: visitor)) { return true }
        return !user.isEmpty && contains(key.tag(.user, site: site, id: user))
    }

    /// Whether a text in quotation marks is the id of a visitor of whom nothing may be kept: for bytes
    /// that could not be read as events.
    public func isMentioned(in bytes: ByteView, site: ByteView) -> Bool {
        var start = 0
        while let open = bytes.firstIndex(of: UInt8(ascii: "\""), from: start),
            let close = bytes.firstIndex(of: UInt8(ascii: "\""), from: open + 1)
        {
            let text = bytes[open + 1..<close]
            if !text.isEmpty, contains(key.tag(.visitor, site: site, id: text)) { return true }
            // The closing mark may open the next text where the bytes are no JSON.
            start = close
        }
        return false
    }

    /// Whether the table holds `tag`.
    public func contains(_ tag: UInt64) -> Bool {
        let mask = words.count - 1
        var slot = Int(truncatingIfNeeded: tag) & mask
        while true {
            let word = words.load(slot)
            if word == tag { return true }
            if word == Self.empty { return false }
            slot = (slot + 1) & mask
        }
    }

    /// Adds a tag; false when the table is full. By one thread.
    public func insert(_ tag: UInt64) -> Bool {
        if contains(tag) { return true }
        guard count < capacity else { return false }
        let mask = words.count - 1
        var slot = Int(truncatingIfNeeded: tag) & mask
        while words.load(slot) > Self.removed { slot = (slot + 1) & mask }
        words.store(slot, tag)
        held.add(1, ordering: .relaxed)
        return true
    }

    /// Takes a tag out. By the thread that inserts.
    public func remove(_ tag: UInt64) {
        let mask = words.count - 1
        var slot = Int(truncatingIfNeeded: tag) & mask
        while words.load(slot) != tag {
            if words.load(slot) == Self.empty { return }
            slot = (slot + 1) & mask
        }
        words.store(slot, Self.removed)
        held.subtract(1, ordering: .relaxed)
    }
}
