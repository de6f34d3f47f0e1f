import Bytes

/// A form event (`fm`), read: rows of `ff` already summed.
struct FormSummary {
    enum Phase: Int { case other, start, progress, submit, left }

    static let rowsMaximum = 40
    static let hesitationMilliseconds = 3_000.0
    static let fieldSecondsMaximum = 60.0

    var name = ByteView.empty
    var phase = Phase.other
    /// Valid required fields out of all, 0 to 1; nil when not told.
    var completion: Double?
    var submitted = false
    var fields = 0.0
    var friction = 0.0
    var hesitations = 0.0
    var hesitantSeconds = 0.0

    /// Reads an event's properties. False when they are not valid JSON.
    mutating func read(_ properties: ByteView) -> Bool {
        do throws(JSONError) {
            var cursor = JSONCursor(properties)
            var first = true
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) { try readField(key, &cursor) }
            return true
        } catch {
            return false
        }
    }

    private mutating func readField(
        _ key: ByteView,
        _ cursor: inout JSONCursor
    ) throws(JSONError) {
        switch Key.code(key) {
        case UInt16(UInt8(ascii: "f")): name = try cursor.text()
        case Key.of("p", "h"): phase = Phase(rawValue: Int(try cursor.amount())) ?? .other
        case Key.of("c", "p"): completion = min(100, try cursor.amount()) / 100
        case Key.of("s", "b"): submitted = try readFlag(&cursor)
        case Key.of("f", "f"): try readRows(&cursor)
        default: _ = try cursor.skip()
        }
    }

    private func readFlag(_ cursor: inout JSONCursor) throws(JSONError) -> Bool {
        if try cursor.kind() == .boolean { return try cursor.boolean() }
        return try cursor.amount() == 1
    }

    private mutating func readRows(_ cursor: inout JSONCursor) throws(JSONError) {
        (fields, friction, hesitations, hesitantSeconds) = (0, 0, 0, 0)
        guard try cursor.kind() == .array else {
            _ = try cursor.skip()
            return
        }
        try cursor.beginArray()
        var (rows, first) = (0, true)
        while try cursor.nextRow(&first) {
            var values = InlineArray<7, Double>(repeating: 0)
            _ = try cursor.amounts(&values)
            rows &+= 1
            if rows <= Self.rowsMaximum { takeRow(values) }
        }
    }

    /// `[field, first-key delay, time ms, keys, corrections, returns, errors]`
    private mutating func takeRow(_ values: InlineArray<7, Double>) {
        fields += 1
        friction += values[6] + 0.6 * values[5] + 0.4 * values[4]
        guard values[1] > Self.hesitationMilliseconds else { return }
        friction += 0.4
        hesitations += 1
        hesitantSeconds += min(Self.fieldSecondsMaximum, max(values[1], values[2]) / 1000)
    }
}
