import Bytes
import Records

/// What a site's people did in one minute of `received_at`, as far as they are of one partition:
/// a fixed number of bytes, no references. README, live minutes, has the definitions.
struct LiveMinute: BitwiseCopyable, Sendable {
    /// A page and how often it was viewed.
    struct Page: BitwiseCopyable, Sendable {
        var path = ShortText()
        var hash: UInt32 = 0
        var views: UInt32 = 0
    }

    /// Pages of which views are counted one by one, those that come first; also in `pages` below.
    static let pagesMaximum = 16
    static let bands = 3

    /// Index of the site in the partition's list.
    var site: UInt16 = 0
    /// Minutes since 1970.
    var minute: UInt32 = 0
    /// Offset of the last record that changed something here.
    var offset: UInt64 = 0
    var events: UInt32 = 0
    var pageViews: UInt32 = 0
    var sessions: UInt32 = 0
    var visitors: UInt32 = 0
    var conversions: UInt32 = 0
    /// Events of automated browsers, which are in none of the others.
    var automatedEvents: UInt32 = 0
    var valueThousandths: Int64 = 0
    /// Visitors by their band after their last record of the minute.
    var bands = InlineArray<3, UInt32>(repeating: 0)
    /// Sessions by the channel that they began with.
    var channels = InlineArray<14, UInt32>(repeating: 0)
    var pages = InlineArray<16, Page>(repeating: Page())
    var pageCount: UInt8 = 0
    /// Page views of pages that had no more room.
    var otherPageViews: UInt32 = 0

    /// Counts a view of a page. Which pages get a place depends on the order of records only.
    mutating func countPage(_ view: PageView) {
        let hash = view.hash
        for index in 0..<Int(pageCount) where pages[index].hash == hash {
            guard pages[index].path.withBytes({ $0.equals(view.shortPath) }) else { continue }
            pages[index].views &+= 1
            return
        }
        guard pageCount < Self.pagesMaximum, let path = ShortText(view.shortPath) else {
            otherPageViews &+= 1
            return
        }
        pages[Int(pageCount)] = Page(path: path, hash: hash, views: 1)
        pageCount &+= 1
    }

    /// Gives up the pages one by one; their views stay counted.
    mutating func dropPages() {
        for index in 0..<Int(pageCount) {
            otherPageViews &+= pages[index].views
            pages[index] = Page()
        }
        pageCount = 0
    }
}

extension LiveMinute {
    /// Everything but site, minute and offset, which stand before it.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        coder.field(&events)
        coder.field(&pageViews)
        coder.field(&sessions)
        coder.field(&visitors)
        coder.field(&conversions)
        coder.field(&automatedEvents)
        coder.field(&valueThousandths)
        for index in 0..<Self.bands { coder.field(&bands[index]) }
        encodeChannels(&coder)
        coder.field(&otherPageViews)
        coder.field(&pageCount)
        for index in 0..<min(Int(pageCount), Self.pagesMaximum) {
            coder.field(&pages[index].path)
            coder.field(&pages[index].views)
            pages[index].hash = pages[index].path.withBytes { PagePath.hash(of: $0) }
        }
    }

    /// A mask of the channels that are not zero, then those.
    private mutating func encodeChannels<Coder: StateCoder & ~Copyable>(_ coder: inout Coder) {
        var mask: UInt16 = 0
        for index in 0..<LiveChannel.count where channels[index] != 0 {
            mask |= 1 << UInt16(index)
        }
        coder.field(&mask)
        for index in 0..<LiveChannel.count where mask & (1 << UInt16(index)) != 0 {
            coder.field(&channels[index])
        }
    }
}

/// Channels by the names that enrichment gives to page views, in the order of their counters.
enum LiveChannel {
    static let names: InlineArray<14, StaticString> = [
        "paid_search", "paid_social", "paid_other", "display", "affiliate", "email", "messaging",
        "organic_search", "organic_social", "ai_assistant", "referral", "direct", "unassigned",
        "internal",
    ]
    static let count = 14
    static let unassigned = 12

    /// The channel of this name; unassigned when there is none.
    static func index(of name: ByteView) -> Int {
        for index in 0..<count where name.equals(names[index]) { return index }
        return unassigned
    }
}

extension LiveMinute {
    /// Appends the minute as a JSON object, counters that are zero left out.
    func appendJSON(into buffer: inout ByteBuffer) {
        buffer.append("{\"pos\":")
        buffer.append(decimal: Int64(clamping: offset))
        buffer.append(",\"events\":")
        buffer.append(decimal: Int64(events))
        member("page_views", pageViews, into: &buffer)
        member("sessions", sessions, into: &buffer)
        member("visitors", visitors, into: &buffer)
        member("cold", bands[0], into: &buffer)
        member("warm", bands[1], into: &buffer)
        member("hot", bands[2], into: &buffer)
        member("conversions", conversions, into: &buffer)
        if valueThousandths != 0 {
            buffer.append(",\"value_thousandths\":")
            buffer.append(decimal: valueThousandths)
        }
        member("automated_events", automatedEvents, into: &buffer)
        appendChannels(into: &buffer)
        appendPages(into: &buffer)
        member("other_page_views", otherPageViews, into: &buffer)
        buffer.append("}")
    }

    private func member(
        _ name: StaticString,
        _ number: UInt32,
        into buffer: inout ByteBuffer
    ) {
        guard number != 0 else { return }
        buffer.append(",")
        entry(ByteView(name), number, into: &buffer)
    }

    private func entry(_ name: ByteView, _ number: UInt32, into buffer: inout ByteBuffer) {
        buffer.append("\"")
        buffer.append(name)
        buffer.append("\":")
        buffer.append(decimal: Int64(number))
    }

    private func appendChannels(into buffer: inout ByteBuffer) {
        guard sessions != 0 else { return }
        var separator: StaticString = ",\"channels\":{"
        for index in 0..<LiveChannel.count where channels[index] != 0 {
            buffer.append(separator)
            entry(ByteView(LiveChannel.names[index]), channels[index], into: &buffer)
            separator = ","
        }
        buffer.append("}")
    }

    /// A path is as it stood in a JSON string, so it can stand in one again.
    private func appendPages(into buffer: inout ByteBuffer) {
        guard pageCount != 0 else { return }
        var separator: StaticString = ",\"pages\":{"
        for index in 0..<Int(pageCount) {
            buffer.append(separator)
            pages[index].path.withBytes { entry($0, pages[index].views, into: &buffer) }
            separator = ","
        }
        buffer.append("}")
    }
}
