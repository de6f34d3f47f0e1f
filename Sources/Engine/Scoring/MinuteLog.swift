import Bytes
import Settings
import Units

/// Minutes that are over, packed one behind the other in the order they were closed.
///
/// Entry, integers little-endian: length of the entry (2), site (2), minute (4), offset (8), then
/// the minute's counters in base 128, seven bits a byte, the lowest first. Everything here follows
/// from the order of the calls, so that the same records leave the same bytes.
struct MinuteLog: ~Copyable {
    private static let headBytes = 16
    /// What may lie let go at the front before the rest is moved over it.
    private static let slackBytes = 32 * 1024

    private(set) var bytes = VarintBuffer()
    /// Where the oldest entry begins: what lies before it is let go and not moved away yet.
    private var start = 0
    /// The greatest offset of all entries that ever were here.
    private(set) var offset: UInt64 = 0
    /// The latest minute of all entries that ever were here.
    private(set) var latestMinute: UInt32 = 0
    /// Minutes that were let go for lack of room since the process began.
    private(set) var letGo = 0

    /// The entries, for a checkpoint.
    var content: ByteView { bytes.buffer.view(from: start) }

    /// Bytes that the log takes in memory.
    var memoryBytes: Int { bytes.buffer.capacity }

    // MARK: - In and out

    /// Appends a minute that is over.
    mutating func append(_ minute: LiveMinute) {
        write(minute)
        offset = max(offset, minute.offset)
        latestMinute = max(latestMinute, minute.minute)
        let used = bytes.buffer.count &- start
        if used > Limits.liveMinuteBytesMaximum {
            shrink()
        } else if start > min(used, Self.slackBytes) {
            moveUp()
        }
    }

    private mutating func write(_ minute: LiveMinute) {
        var minute = minute
        let begin = bytes.buffer.count
        bytes.buffer.append(littleEndian: UInt16(0))
        bytes.buffer.append(littleEndian: minute.site)
        bytes.buffer.append(littleEndian: minute.minute)
        bytes.buffer.append(littleEndian: minute.offset)
        minute.encode(&bytes)
        let length = bytes.buffer.count &- begin
        bytes.buffer.overwrite(littleEndian: UInt16(length), at: begin)
        invariant(!bytes.buffer.overflowed, "the log of minutes outgrew its limit")
    }

    /// Takes a minute out again, because a record of it came late.
    mutating func take(site: UInt16, minute: UInt32) -> LiveMinute? {
        guard minute <= latestMinute else { return nil }
        var position = start
        while let entry = entry(at: position) {
            if entry.minute == minute, entry.site == site {
                let found = read(entry)
                remove(entry)
                return found
            }
            position &+= entry.length
        }
        return nil
    }

    private mutating func remove(_ entry: Entry) {
        let rest = VarintBuffer.copy(bytes.buffer.view(from: entry.place &+ entry.length))
        bytes.buffer.truncate(to: entry.place)
        bytes.buffer.append(rest.buffer.view)
    }

    /// Lets go of minutes before `minute`, as far as they are the oldest here.
    mutating func dropBefore(_ minute: UInt32) {
        while let entry = entry(at: start), entry.minute < minute { start &+= entry.length }
    }

    /// Calls `body` with each minute whose offset is beyond `offset`, until it says false.
    func forEach(after offset: UInt64, _ body: (LiveMinute) -> Bool) -> Bool {
        guard offset < self.offset else { return true }
        var position = start
        while let entry = entry(at: position) {
            if entry.offset > offset, let minute = read(entry), !body(minute) { return false }
            position &+= entry.length
        }
        return true
    }

    // MARK: - Entries

    private struct Entry {
        let place: Int
        let length: Int
        let site: UInt16
        let minute: UInt32
        let offset: UInt64
    }

    private func entry(at place: Int) -> Entry? {
        let view = bytes.buffer.view
        guard place &+ Self.headBytes <= view.count else { return nil }
        let length = Int(view.load(UInt16.self, at: place))
        guard length >= Self.headBytes, place &+ length <= view.count else { return nil }
        return Entry(
            place: place,
            length: length,
            site: view.load(UInt16.self, at: place &+ 2),
            minute: view.load(UInt32.self, at: place &+ 4),
            offset: view.load(UInt64.self, at: place &+ 8)
        )
    }

    /// Nil when the entry's bytes are not what was written.
    private func read(_ entry: Entry) -> LiveMinute? {
        let end = entry.place &+ entry.length
        var reader = VarintReader(bytes.buffer.view[entry.place &+ Self.headBytes..<end])
        var minute = LiveMinute()
        (minute.site, minute.minute, minute.offset) = (entry.site, entry.minute, entry.offset)
        minute.encode(&reader)
        return reader.isAtEnd && minute.pageCount <= LiveMinute.pagesMaximum ? minute : nil
    }

    // MARK: - Room

    private mutating func moveUp() {
        bytes.buffer.dropFirst(start)
        start = 0
    }

    /// The oldest minutes give up their pages; if that is not enough, the oldest minutes go.
    private mutating func shrink() {
        let enough = Limits.liveMinuteBytesMaximum / 8 * 7
        var old = MinuteLog()
        swap(&bytes, &old.bytes)
        swap(&start, &old.start)
        var position = old.start
        var left = old.content.count
        while let entry = old.entry(at: position) {
            position &+= entry.length
            left &-= entry.length
            let total = bytes.buffer.count &+ entry.length &+ left
            if total > enough, var minute = old.read(entry) {
                minute.dropPages()
                write(minute)
            } else {
                bytes.buffer.append(old.bytes.buffer.view[entry.place..<position])
            }
        }
        while bytes.buffer.count &- start > enough, let entry = entry(at: start) {
            start &+= entry.length
            letGo += 1
        }
        moveUp()
    }

    // MARK: - Checkpoint

    /// Takes the entries of a checkpoint. False when they are not sound.
    mutating func restore(_ content: ByteView, sites: Int) -> Bool {
        bytes.buffer.append(content)
        var position = 0
        while let entry = entry(at: position) {
            guard Int(entry.site) < sites, read(entry) != nil else { return false }
            offset = max(offset, entry.offset)
            latestMinute = max(latestMinute, entry.minute)
            position &+= entry.length
        }
        return position == content.count && !bytes.buffer.overflowed
    }
}
