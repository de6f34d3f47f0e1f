/// What a visitor's current session has come to: order-dependent by nature, begun anew with each.
struct SessionTrend: BitwiseCopyable, Sendable {
    static let pagesMaximum = 24
    static let samplesMaximum = 12

    /// Hash of the session's id; 0 before the first.
    var session: UInt64 = 0
    var activeMilliseconds = 0.0
    var loopPoints = 0.0
    private var pendingSum = 0.0
    private var pendingCount: UInt32 = 0
    private var stride: UInt32 = 1
    private var samples = InlineArray<12, UInt32>(repeating: 0)
    private var pages = InlineArray<24, UInt32>(repeating: 0)
    var categories: UInt16 = 0
    var options: UInt16 = 0
    private var sampleCount: UInt8 = 0
    private var pageCount: UInt8 = 0
    /// Actions so far; the highest bit says that there was a conversion. For landmarks.
    private var course: UInt16 = 0

    init(session: UInt64 = 0) { self.session = session }

    /// Whether the page with this hash is new to the session.
    mutating func seesPage(_ hash: UInt32) -> Bool {
        let count = Int(pageCount)
        for index in 0..<count where pages[index] == hash { return false }
        guard count < Self.pagesMaximum else { return false }
        pages[count] = hash
        pageCount &+= 1
        return true
    }

    /// Page views, clicks, forms and custom events so far.
    var actions: Int { Int(course & 0x7fff) }

    /// Whether the session had a conversion.
    var hasConverted: Bool { course & 0x8000 != 0 }

    /// Takes the actions of a record.
    mutating func take(actions: Int, converts: Bool) {
        let count = UInt16(min(self.actions + actions, 0x7fff))
        course = course & 0x8000 | count | (converts ? 0x8000 : 0)
    }

    /// How many categories of `mask` are new to the session.
    mutating func seesCategories(_ mask: UInt16) -> Int {
        let fresh = mask & ~categories
        categories |= mask
        return fresh.nonzeroBitCount
    }

    /// Takes a decision latency. Samples are means of `stride` latencies each; when there is no room
    /// neighbours are merged and the stride doubles, so that they cover the whole session evenly.
    mutating func takeLatency(milliseconds: Double) {
        pendingSum += milliseconds.rounded(.down)
        pendingCount &+= 1
        guard pendingCount == stride else { return }
        if Int(sampleCount) == Self.samplesMaximum {
            halve()
        } else {
            samples[Int(sampleCount)] = UInt32(pendingSum / Double(stride))
            sampleCount &+= 1
            (pendingSum, pendingCount) = (0, 0)
        }
    }

    private mutating func halve() {
        for index in 0..<Self.samplesMaximum / 2 {
            let pair = UInt64(samples[2 &* index]) &+ UInt64(samples[2 &* index &+ 1])
            samples[index] = UInt32(truncatingIfNeeded: pair / 2)
        }
        for index in Self.samplesMaximum / 2..<Self.samplesMaximum { samples[index] = 0 }
        sampleCount = UInt8(Self.samplesMaximum / 2)
        stride = stride &<< 1 | stride &>> 31
    }

    /// README, fatigue: last third of the latencies over the first; 0 with fewer than three.
    private var slowDown: Double {
        let third = Int(sampleCount) / 3
        guard third > 0 else { return 0 }
        var (early, late) = (0.0, 0.0)
        for index in 0..<third {
            early += Double(samples[index])
            late += Double(samples[Int(sampleCount) &- 1 &- index])
        }
        return early > 0 ? late / early : 0
    }

    /// README, fatigue.
    var fatigue: Double {
        0.35 * Shapes.linear(slowDown, 1.2, 2.5)
            + 0.25 * Shapes.saturation(Double(options), 8)
            + 0.20 * Shapes.linear(activeMilliseconds / 60_000, 10, 40)
            + 0.20 * Shapes.hill2(loopPoints, 2)
    }
}

extension SessionTrend {
    /// For checkpoints: calls `body` with every field, in a fixed order.
    /// Versions 1 and 2 did not count actions.
    mutating func encode<Coder: StateCoder & ~Copyable>(_ coder: inout Coder, version: UInt32) {
        coder.field(&session)
        coder.field(&activeMilliseconds)
        coder.field(&loopPoints)
        coder.field(&pendingSum)
        coder.field(&pendingCount)
        coder.field(&stride)
        coder.field(&categories)
        coder.field(&options)
        coder.field(&sampleCount)
        coder.field(&pageCount)
        sampleCount = min(sampleCount, UInt8(Self.samplesMaximum))
        pageCount = min(pageCount, UInt8(Self.pagesMaximum))
        for index in 0..<Int(sampleCount) { coder.field(&samples[index]) }
        for index in 0..<Int(pageCount) { coder.field(&pages[index]) }
        if version >= 4 { coder.field(&course) }
    }
}
