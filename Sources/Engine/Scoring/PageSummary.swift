import Bytes
import Glibc

/// A page summary (`ps`), read: its arrays as they stand and its rows already summed.
///
/// One is kept and reused by a partition's fold, so that reading one event allocates nothing.
struct PageSummary: BitwiseCopyable {
    /// Which arrays were there.
    struct Parts: OptionSet, BitwiseCopyable {
        let rawValue: UInt16
        static let visibility = Parts(rawValue: 1)
        static let scroll = Parts(rawValue: 2)
        static let sections = Parts(rawValue: 4)
        static let reading = Parts(rawValue: 8)
        static let pointer = Parts(rawValue: 16)
        static let touch = Parts(rawValue: 32)
        static let keys = Parts(rawValue: 64)
        static let clicks = Parts(rawValue: 128)
        static let actions = Parts(rawValue: 256)
        static let totals = Parts(rawValue: 512)
    }

    /// Sums over the rows of `S`, times in seconds, each row's dwell held to 30 s.
    struct Sections: BitwiseCopyable {
        var dwell = 0.0
        /// Sum of d * ln d, for the entropy of the shares.
        var dwellLogDwell = 0.0
        var rowsWithDwell = 0.0
        var revisits = 0.0
        var textDwell = 0.0
        var categoryMask: UInt16 = 0
        var categoryDwell = InlineArray<10, Double>(repeating: 0)
    }

    /// Sums over the rows of `ct`, times in seconds.
    struct Actions: BitwiseCopyable {
        var hover = 0.0
        var inView = 0.0
        var retreats = 0.0
    }

    static let sectionRowsMaximum = 60
    static let actionRowsMaximum = 20
    static let dwellMillisecondsMaximum = 30_000.0
    static let hoverMillisecondsMaximum = 5_000.0
    static let revisitsMaximum = 3.0

    var parts: Parts = []
    var visibility = InlineArray<8, Double>(repeating: 0)
    var scroll = InlineArray<8, Double>(repeating: 0)
    var reading = InlineArray<6, Double>(repeating: 0)
    var readingCount = 0
    var pointer = InlineArray<10, Double>(repeating: 0)
    var pointerCount = 0
    var touch = InlineArray<8, Double>(repeating: 0)
    var keys = InlineArray<8, Double>(repeating: 0)
    var clicks = InlineArray<8, Double>(repeating: 0)
    var totals = InlineArray<8, Double>(repeating: 0)
    var sections = Sections()
    var actions = Actions()

    /// Reads an event's properties; `site` is what stands for it in the model's category words. False
    /// when they are not valid JSON.
    mutating func read(_ properties: ByteView, _ site: UInt64, _ model: ScoringModel) -> Bool {
        self = PageSummary()
        do throws(JSONError) {
            var cursor = JSONCursor(properties)
            var first = true
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) { try readField(key, &cursor, site, model) }
            return true
        } catch {
            return false
        }
    }

    @inline(__always)
    private mutating func readField(
        _ key: ByteView,
        _ cursor: inout JSONCursor,
        _ site: UInt64,
        _ model: ScoringModel
    ) throws(JSONError) {
        switch Key.code(key) {
        case Key.of("v", "z"): try note(.visibility, cursor.amounts(&visibility))
        case Key.of("s", "c"): try note(.scroll, cursor.amounts(&scroll))
        case UInt16(UInt8(ascii: "S")): try readSections(&cursor, site, model)
        case Key.of("r", "d"):
            readingCount = try cursor.amounts(&reading)
            note(.reading, readingCount)
        case Key.of("m", "o"):
            pointerCount = try cursor.amounts(&pointer)
            note(.pointer, pointerCount)
        case Key.of("t", "p"): try note(.touch, cursor.amounts(&touch))
        case Key.of("k", "b"): try note(.keys, cursor.amounts(&keys))
        case Key.of("c", "k"): try note(.clicks, cursor.amounts(&clicks))
        case Key.of("c", "t"): try readActions(&cursor)
        case Key.of("p", "t"):
            if try cursor.amounts(&totals) >= 8 { parts.insert(.totals) }
        default: _ = try cursor.skip()
        }
    }

    @inline(__always)
    private mutating func note(_ part: Parts, _ count: Int) {
        if count > 0 { parts.insert(part) } else { parts.remove(part) }
    }

    // MARK: - Rows

    private mutating func readSections(
        _ cursor: inout JSONCursor,
        _ site: UInt64,
        _ model: ScoringModel
    ) throws(JSONError) {
        sections = Sections()
        guard try cursor.kind() == .array else {
            _ = try cursor.skip()
            return
        }
        parts.insert(.sections)
        try cursor.beginArray()
        var (rows, first) = (0, true)
        while try cursor.nextRow(&first) {
            rows &+= 1
            if rows <= Self.sectionRowsMaximum {
                try readSection(&cursor, site, model)
            } else {
                _ = try cursor.skip()
            }
        }
    }

    /// `[index, category, entries, dwell ms, max visible %, words, clicks, revisits]`
    private mutating func readSection(
        _ cursor: inout JSONCursor,
        _ site: UInt64,
        _ model: ScoringModel
    ) throws(JSONError) {
        var values = InlineArray<8, Double>(repeating: 0)
        var category = ByteView.empty
        try cursor.beginArray()
        var (count, first) = (0, true)
        var more = try cursor.nextElement(&first)
        while more {
            if count == 1 {
                category = try cursor.text()
            } else {
                let value = try cursor.amount()
                if count < 8 { values[count] = value }
            }
            count &+= 1
            more = try cursor.continues()
        }
        takeSection(values, category.isEmpty ? nil : model.category(ofSection: category, site))
    }

    @inline(__always)
    private mutating func takeSection(_ values: InlineArray<8, Double>, _ category: Int?) {
        let dwell = min(values[3], Self.dwellMillisecondsMaximum) / 1000
        sections.revisits += min(values[7], Self.revisitsMaximum)
        guard dwell > 0 else { return }
        sections.dwell += dwell
        sections.dwellLogDwell += dwell * log(dwell)
        sections.rowsWithDwell += 1
        if values[5] > 0 { sections.textDwell += dwell }
        guard let category else { return }
        sections.categoryMask |= 1 << UInt16(category)
        sections.categoryDwell[category] += dwell
    }

    /// Rows `[index, hover ms, entries, clicked, in-view ms, retreats]`
    private mutating func readActions(_ cursor: inout JSONCursor) throws(JSONError) {
        actions = Actions()
        guard try cursor.kind() == .array else {
            _ = try cursor.skip()
            return
        }
        parts.insert(.actions)
        try cursor.beginArray()
        var (rows, first) = (0, true)
        while try cursor.nextRow(&first) {
            var values = InlineArray<6, Double>(repeating: 0)
            _ = try cursor.amounts(&values)
            rows &+= 1
            guard rows <= Self.actionRowsMaximum else { continue }
            actions.hover += min(values[1], Self.hoverMillisecondsMaximum) / 1000
            actions.inView += values[4] / 1000
            actions.retreats += values[5]
        }
    }
}

// MARK: - What the arrays come to

extension PageSummary {
    /// Active seconds.
    var active: Double { parts.contains(.visibility) ? visibility[2] / 1000 : 0 }

    /// Seconds that the pointer moved.
    var pointerActive: Double { pointer[2] / 1000 }

    /// Rage and error clicks count double.
    var frustration: Double { 2 * clicks[3] + clicks[4] + 2 * clicks[5] }

    /// Purposeful keyboard actions.
    var keyActions: Double { keys[0] + keys[5] + keys[6] + keys[7] }

    /// Pinch, long press, double-tap zoom, gallery swipe and selection.
    var touchGestures: Double { touch[1] + touch[3] + touch[4] + touch[5] + touch[7] }

    /// Seconds since the last summary.
    var elapsed: Double {
        visibility[7] > 0
            ? visibility[7] / 1000 : max(visibility[0], visibility[1] + visibility[5]) / 1000
    }

    /// 1 - H / ln N over the shares of section dwell; nil with fewer than three sections.
    var concentration: Double? {
        guard sections.rowsWithDwell >= 3 else { return nil }
        let entropy = log(sections.dwell) - sections.dwellLogDwell / sections.dwell
        return 1 - entropy / log(sections.rowsWithDwell)
    }
}
