import Units

/// The message ids seen, as fingerprints: a ring in the order of their coming, and an
/// open-addressing table over it.
///
/// Bounded by the limits: the id that came first makes room. A repeat does not renew an id, so the
/// content depends on the order of first sightings alone, which the journal keeps. Owned by the
/// journal's thread.
struct MessageTable: ~Copyable {
    struct Entry {
        var key = Hash128(low: 0, high: 0)
        var seenAt: Int64 = 0
    }

    private static let entriesMinimum = 1024

    private let countMaximum: Int
    private let windowMilliseconds: Int64
    /// Ids known.
    private(set) var count = 0
    /// Ids forgotten to make room.
    private(set) var evicted = 0
    /// The ring; a power of two long. The oldest entry stands at `first`.
    private var entries = [Entry](repeating: Entry(), count: Self.entriesMinimum)
    private var first = 0
    /// A tag in the upper half and a place in the ring plus one in the lower; 0 when empty.
    private var slots = [UInt64](repeating: 0, count: 2 * Self.entriesMinimum)

    init(limits: DeduplicationLimits) {
        countMaximum = limits.messagesMaximum
        windowMilliseconds = limits.windowMilliseconds
    }

    /// When the oldest id that is still known came; nil when there is none.
    var oldestSeenAt: Int64? { count == 0 ? nil : entries[first].seenAt }

    /// Puts an id in; false when it was there already.
    mutating func insert(_ key: Hash128, at time: Int64) -> Bool {
        if contains(key) { return false }
        makeRoom(at: time)
        let place = (first + count) & (entries.count - 1)
        entries[place] = Entry(key: key, seenAt: time)
        count += 1
        occupy(key, place)
        return true
    }

    private func contains(_ key: Hash128) -> Bool {
        var slot = home(key)
        while slots[slot] != 0 {
            if (slots[slot] ^ key.high) >> 32 == 0, entries[place(slot)].key == key { return true }
            slot = (slot + 1) & (slots.count - 1)
        }
        return false
    }

    /// Calls `body` with every id, the one that came first before the others.
    func forEach(_ body: (Hash128, Int64) -> Void) {
        for index in 0..<count {
            let entry = entries[(first + index) & (entries.count - 1)]
            body(entry.key, entry.seenAt)
        }
    }

    // MARK: - Room

    /// Forgets the oldest id when the budget is spent, or, rather than taking more memory, when it
    /// is past its time.
    private mutating func makeRoom(at time: Int64) {
        if count >= countMaximum { return evict() }
        guard count == entries.count else { return }
        if entries[first].seenAt < time - windowMilliseconds { evict() } else { grow() }
    }

    private mutating func evict() {
        vacate(entries[first].key)
        first = (first + 1) & (entries.count - 1)
        count -= 1
        evicted += 1
    }

    /// Twice the ring, with the oldest entry at its beginning, and twice the table.
    private mutating func grow() {
        var larger: [Entry] = []
        larger.reserveCapacity(entries.count * 2)
        larger.append(contentsOf: entries[first...])
        larger.append(contentsOf: entries[..<first])
        larger.append(contentsOf: repeatElement(Entry(), count: entries.count))
        entries = larger
        first = 0
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        for place in 0..<count { occupy(entries[place].key, place) }
    }

    // MARK: - Table

    private func home(_ key: Hash128) -> Int {
        Int(truncatingIfNeeded: key.low) & (slots.count - 1)
    }

    private func place(_ slot: Int) -> Int { Int(slots[slot] & 0xffff_ffff) - 1 }

    private mutating func occupy(_ key: Hash128, _ place: Int) {
        var slot = home(key)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = key.high & 0xffff_ffff_0000_0000 | UInt64(place + 1)
    }

    /// Empties a slot and moves back those that stand behind it only because it was taken.
    private mutating func vacate(_ key: Hash128) {
        let mask = slots.count - 1
        var hole = home(key)
        while entries[place(hole)].key != key { hole = (hole + 1) & mask }
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            let origin = home(entries[place(slot)].key)
            if (slot - origin) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
    }
}
