import Records
import Units

/// Bounds of deduplication.
public struct DeduplicationLimits: Sendable {
    /// Bytes that the tables of windows may take.
    public var memoryBytesMaximum = 64 << 20
    /// Bytes that the table of message ids may take.
    public var messageBytesMaximum = 64 << 20
    /// The most runs of numbers above the contiguous ones that a window may have.
    public var runsPerWindowMaximum = 1024
    /// Milliseconds after which a window's or a message id's memory may be used for another one.
    public var windowMilliseconds: Int64 = 24 * 60 * 60 * 1000

    /// The defaults.
    public init() {}

    func problem() -> String? {
        if windowsMaximum < 1 { return "no memory for deduplication" }
        if messagesMaximum < Slice.eventsMaximum { return "no memory for a batch of message ids" }
        if runsPerWindowMaximum < 64 { return "a batch alone may leave more runs than are kept" }
        if runsPerWindowMaximum > runsMaximum { return "one window's runs exceed the memory" }
        return nil
    }

    /// Three quarters of the memory: an entry and, at half load, two slots.
    var windowsMaximum: Int {
        min(memoryBytesMaximum / 4 * 3 / (MemoryLayout<WindowTable.Entry>.stride + 32), 1 << 30)
    }

    /// A quarter of the memory: runs that do not fit an entry.
    var runsMaximum: Int { memoryBytesMaximum / 4 / MemoryLayout<NumberSet.Run>.stride }

    /// As many as fill the largest ring, a power of two, whose entries and two slots for each fit.
    var messagesMaximum: Int {
        let fitting = messageBytesMaximum / (MemoryLayout<MessageTable.Entry>.stride + 16)
        return fitting < 1 ? 0 : 1 << (Int.bitWidth - 1 - fitting.leadingZeroBitCount)
    }
}

/// The numbers seen, by window: an open-addressing table over entries in a list by last use.
///
/// Bounded by the limits: the window used longest ago makes room. Owned by the journal's thread.
struct WindowTable: ~Copyable {
    struct Entry {
        var key = Hash128(low: 0, high: 0)
        var seenAt: Int64 = 0
        var contiguous: UInt32 = 0
        /// Neighbours in the list by last use, -1 at its ends. `older` also links free entries.
        var newer: Int32 = -1
        var older: Int32 = -1
        /// Index of the run list, -1 when both runs or fewer are in place.
        var list: Int32 = -1
        var runCount: UInt32 = 0
        var firstRun = NumberSet.Run(first: 0, last: 0)
        var secondRun = NumberSet.Run(first: 0, last: 0)
    }

    private static let runsInPlace: UInt32 = 2

    let limits: DeduplicationLimits
    /// Windows known.
    private(set) var count = 0
    /// Windows forgotten to make room.
    private(set) var evicted = 0
    private var entries: [Entry] = []
    private var freeEntry: Int32 = -1
    /// A tag in the upper half and an entry's index plus one in the lower; 0 when empty.
    private var slots = [UInt64](repeating: 0, count: 1024)
    private var lists: [[NumberSet.Run]] = []
    private var freeLists: [Int32] = []
    private var listedRuns = 0
    private var newest: Int32 = -1
    private var oldest: Int32 = -1

    init(limits: DeduplicationLimits) { self.limits = limits }

    /// Time of the oldest window that is still known; nil when there is none.
    var oldestSeenAt: Int64? { oldest < 0 ? nil : entries[Int(oldest)].seenAt }

    // MARK: - One window

    /// The entry of a window, made if it is new, now the newest.
    mutating func touch(_ key: Hash128, at time: Int64) -> Int {
        if let index = find(key) {
            detach(index)
            attach(index)
            entries[index].seenAt = max(entries[index].seenAt, time)
            return index
        }
        return insert(key, at: time)
    }

    /// Copies an entry's numbers into `set`.
    func load(_ index: Int, into set: inout NumberSet) {
        let entry = entries[index]
        set.load(contiguous: entry.contiguous)
        if entry.runCount == 0 { return }
        if entry.list >= 0 {
            for run in lists[Int(entry.list)] { set.load(run) }
            return
        }
        set.load(entry.firstRun)
        if entry.runCount == Self.runsInPlace { set.load(entry.secondRun) }
    }

    /// Keeps `set` as an entry's numbers.
    mutating func store(_ set: borrowing NumberSet, _ index: Int) {
        entries[index].contiguous = set.contiguous
        if set.runs.isEmpty, entries[index].runCount == 0 { return }
        entries[index].runCount = UInt32(set.runs.count)
        if set.runs.count <= Int(Self.runsInPlace) {
            releaseList(index)
            if let first = set.runs.first { entries[index].firstRun = first }
            if let last = set.runs.last { entries[index].secondRun = last }
        } else {
            storeList(set.runs, index)
        }
    }

    private mutating func storeList(_ runs: [NumberSet.Run], _ index: Int) {
        if entries[index].list < 0 { entries[index].list = takeList() }
        let list = Int(entries[index].list)
        listedRuns += runs.count - lists[list].count
        lists[list].removeAll(keepingCapacity: true)
        lists[list].append(contentsOf: runs)
        while listedRuns > limits.runsMaximum, Int(oldest) != index { evict(Int(oldest)) }
    }

    private mutating func takeList() -> Int32 {
        if let free = freeLists.popLast() { return free }
        lists.append([])
        return Int32(lists.count - 1)
    }

    private mutating func releaseList(_ index: Int) {
        let list = entries[index].list
        if list < 0 { return }
        listedRuns -= lists[Int(list)].count
        lists[Int(list)] = []
        freeLists.append(list)
        entries[index].list = -1
    }

    // MARK: - Table

    private func home(_ key: Hash128) -> Int {
        Int(truncatingIfNeeded: key.low) & (slots.count - 1)
    }

    private func slotValue(_ key: Hash128, _ index: Int) -> UInt64 {
        key.high & 0xffff_ffff_0000_0000 | UInt64(index + 1)
    }

    private func find(_ key: Hash128) -> Int? {
        var slot = home(key)
        while slots[slot] != 0 {
            if (slots[slot] ^ key.high) >> 32 == 0 {
                let index = Int(slots[slot] & 0xffff_ffff) - 1
                if entries[index].key == key { return index }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func insert(_ key: Hash128, at time: Int64) -> Int {
        makeRoom(at: time)
        let index = takeEntry()
        entries[index] = Entry(key: key, seenAt: time)
        count += 1
        if count * 2 > slots.count { growSlots() }
        place(key, index)
        attach(index)
        return index
    }

    /// Forgets a window when the budget is spent, or, rather than taking more memory, when the oldest
    /// is past its time.
    private mutating func makeRoom(at time: Int64) {
        guard oldest >= 0, freeEntry < 0 else { return }
        let isExpired = entries[Int(oldest)].seenAt < time - limits.windowMilliseconds
        if isExpired || count >= limits.windowsMaximum { evict(Int(oldest)) }
    }

    private mutating func takeEntry() -> Int {
        if freeEntry >= 0 {
            let index = Int(freeEntry)
            freeEntry = entries[index].older
            return index
        }
        entries.append(Entry())
        return entries.count - 1
    }

    private mutating func place(_ key: Hash128, _ index: Int) {
        var slot = home(key)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = slotValue(key, index)
    }

    private mutating func growSlots() {
        let old = slots
        slots = [UInt64](repeating: 0, count: old.count * 2)
        for value in old where value != 0 {
            let index = Int(value & 0xffff_ffff) - 1
            place(entries[index].key, index)
        }
    }

    private mutating func evict(_ index: Int) {
        detach(index)
        releaseList(index)
        removeSlot(entries[index].key)
        entries[index].older = freeEntry
        freeEntry = Int32(index)
        count -= 1
        evicted += 1
    }

    /// Empties a slot and moves back those that stand behind it only because it was taken.
    private mutating func removeSlot(_ key: Hash128) {
        let mask = slots.count - 1
        var hole = home(key)
        while entries[Int(slots[hole] & 0xffff_ffff) - 1].key != key { hole = (hole + 1) & mask }
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            let origin = home(entries[Int(slots[slot] & 0xffff_ffff) - 1].key)
            if (slot - origin) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
    }

    // MARK: - List by last use

    private mutating func attach(_ index: Int) {
        entries[index].newer = -1
        entries[index].older = newest
        if newest >= 0 { entries[Int(newest)].newer = Int32(index) }
        newest = Int32(index)
        if oldest < 0 { oldest = newest }
    }

    private mutating func detach(_ index: Int) {
        let (newer, older) = (entries[index].newer, entries[index].older)
        if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
        if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
    }

    /// Calls `body` with every window, the one used longest ago first.
    func forEach(_ body: (Hash128, Int64, NumberSet) -> Void) {
        var set = NumberSet()
        var index = oldest
        while index >= 0 {
            let entry = entries[Int(index)]
            load(Int(index), into: &set)
            body(entry.key, entry.seenAt, set)
            index = entry.newer
        }
    }
}
