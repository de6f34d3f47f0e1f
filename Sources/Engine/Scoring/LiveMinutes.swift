import Bytes
import Records
import Settings

/// The live minutes of a partition: those that records still come for, unpacked, and those that are
/// over, packed. README, live minutes, has the definitions.
///
/// A minute is opened by its first record, and closed when one opens that is two or more minutes
/// later, or when too many are open. A record that comes for a closed minute opens it again, so
/// that clocks that go back cost time and nothing else. Nothing but the records decides what is
/// here.
struct LiveMinutes: ~Copyable {
    private(set) var open: [LiveMinute] = []
    private(set) var log = MinuteLog()
    /// Place of the minute that counts now.
    private var current = 0
    /// Channel of the first page view of the record that counts now.
    private var channel = -1

    static let millisecondsPerMinute: Int64 = 60_000

    /// The minute of a moment; 0 for moments that 32 bits cannot hold.
    static func minute(of milliseconds: Int64) -> UInt32 {
        UInt32(exactly: milliseconds / millisecondsPerMinute) ?? 0
    }

    /// Bytes that all of it takes.
    var memoryBytes: Int { log.memoryBytes + open.capacity * MemoryLayout<LiveMinute>.stride }

    // MARK: - Counting

    /// Lets the following counts go to a record's minute, which is opened if need be.
    mutating func begin(site: UInt16, minute: UInt32, offset: UInt64) {
        channel = -1
        if !isOpen(site, minute, at: current) {
            current = open.lastIndex { $0.minute == minute && $0.site == site } ?? -1
            if current < 0 { open(site, minute) }
        }
        open[current].offset = offset
    }

    @inline(__always)
    private func isOpen(_ site: UInt16, _ minute: UInt32, at place: Int) -> Bool {
        place < open.count && open[place].minute == minute && open[place].site == site
    }

    private mutating func open(_ site: UInt16, _ minute: UInt32) {
        close(before: minute)
        var fresh = LiveMinute()
        (fresh.site, fresh.minute) = (site, minute)
        open.append(log.take(site: site, minute: minute) ?? fresh)
        current = open.count - 1
    }

    /// Closes what is over, and the one opened first when there is no room for another.
    private mutating func close(before minute: UInt32) {
        let kept = UInt32(Limits.liveMinutesKept)
        if minute > kept { log.dropBefore(minute - kept) }
        for place in open.indices where minute > 1 && open[place].minute < minute - 1 {
            log.append(open[place])
        }
        open.removeAll { minute > 1 && $0.minute < minute - 1 }
        guard open.count >= Limits.liveMinutesOpenMaximum else { return }
        log.append(open.removeFirst())
    }

    mutating func addEvents(_ tally: RecordTally) {
        open[current].events &+= UInt32(tally.events)
        open[current].pageViews &+= UInt32(tally.pageViews)
    }

    mutating func addAutomated(_ tally: RecordTally) {
        open[current].automatedEvents &+= UInt32(tally.events)
    }

    mutating func addPage(_ view: PageView) {
        if channel < 0 { channel = view.channel }
        open[current].countPage(view)
    }

    /// A page view whose page nobody can tell.
    mutating func addUnknownPage() { open[current].otherPageViews &+= 1 }

    mutating func addConversion(_ properties: ByteView) {
        open[current].conversions &+= 1
        open[current].valueThousandths &+= ConversionValue.thousandths(properties)
    }

    /// A session begins, with the channel of the record's first page view.
    mutating func addSession() {
        open[current].sessions &+= 1
        open[current].channels[channel < 0 ? LiveChannel.unassigned : channel] &+= 1
    }

    mutating func addVisitor() { open[current].visitors &+= 1 }

    /// Moves a visitor from one band to another; nil is no band.
    mutating func move(from last: Band?, to next: Band?) {
        guard last != next else { return }
        if let last { open[current].bands[Int(last.rawValue)] &-= 1 }
        if let next { open[current].bands[Int(next.rawValue)] &+= 1 }
    }

    // MARK: - Reading

    /// Calls `body` with each minute that changed beyond `offset`, until it says false.
    func forEach(after offset: UInt64, _ body: (LiveMinute) -> Bool) -> Bool {
        guard log.forEach(after: offset, body) else { return false }
        for place in open.indices where open[place].offset > offset {
            if !body(open[place]) { return false }
        }
        return true
    }

    // MARK: - Checkpoint

    /// Number of open minutes (2), each with site (2), minute (4), offset (8) and counters, then
    /// the length of the packed ones (4) and these.
    func serialize(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt16(open.count))
        for place in open.indices {
            var minute = open[place]
            minute.encodeWhole(&buffer)
        }
        buffer.append(littleEndian: UInt32(log.content.count))
        buffer.append(log.content)
    }

    /// Reads them back. False when they are not sound.
    mutating func restore(_ reader: inout StateReader, sites: Int) -> Bool {
        var count: UInt16 = 0
        reader.field(&count)
        for _ in 0..<count {
            var minute = LiveMinute()
            minute.encodeWhole(&reader)
            guard !reader.failed, Int(minute.site) < sites,
                minute.pageCount <= LiveMinute.pagesMaximum
            else { return false }
            open.append(minute)
        }
        var length: UInt32 = 0
        reader.field(&length)
        guard let content = reader.take(Int(length)) else { return false }
        return log.restore(content, sites: sites)
    }
}

extension LiveMinute {
    fileprivate mutating func encodeWhole<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&site)
        coder.field(&minute)
        coder.field(&offset)
        encode(&coder)
    }
}
