public import Bytes

/// Reads the times that trackers write.
public enum WireTime {
    /// Epoch milliseconds of a time in the profile of RFC 3339 and what is near it (a space for the
    /// `T`, no seconds, no offset, which means UTC), or of a number of seconds or milliseconds.
    /// Nil when it is none of these.
    public static func epochMilliseconds(_ text: ByteView) -> Int64? {
        if text.count > 4, text[4] == UInt8(ascii: "-") { return calendar(text) }
        return number(text)
    }

    /// Seconds from 1973 to 5138, else milliseconds; what is less was not meant for a time.
    private static func number(_ text: ByteView) -> Int64? {
        guard !text.isEmpty, text.count <= 20, isPlainNumber(text),
            let value = JSONNumber.double(text), value >= 1e8, value < 1e15
        else { return nil }
        return value < 1e11 ? Int64(value * 1000) : Int64(value)
    }

    private static func isPlainNumber(_ text: ByteView) -> Bool {
        var points = 0
        for index in 0..<text.count {
            if text[index] == UInt8(ascii: "."), index > 0 {
                points += 1
            } else if text[index] &- 48 >= 10 {
                return false
            }
        }
        return points <= 1
    }

    private static func calendar(_ text: ByteView) -> Int64? {
        var reader = Digits(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2),
            reader.skip("-"), let day = reader.number(2),
            (1...12).contains(month), (1...daysIn(month, year)).contains(day)
        else { return nil }
        let midnight = days(year, month, day) * 86_400_000
        if reader.isAtEnd { return midnight }
        guard reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let clock = clock(&reader), let offset = offset(&reader), reader.isAtEnd
        else { return nil }
        return midnight + clock - offset
    }

    /// Milliseconds since midnight. A leap second counts as the one before it.
    private static func clock(_ reader: inout Digits) -> Int64? {
        guard let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2),
            hour < 24, minute < 60
        else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        guard reader.skip(":") else { return milliseconds }
        guard let second = reader.number(2), second <= 60 else { return nil }
        milliseconds += min(second, 59) * 1000
        if reader.skip(".") || reader.skip(",") {
            guard let fraction = reader.milliseconds() else { return nil }
            milliseconds += fraction
        }
        return milliseconds
    }

    /// Milliseconds that the clock is ahead of UTC.
    private static func offset(_ reader: inout Digits) -> Int64? {
        if reader.isAtEnd || reader.skip("Z") || reader.skip("z") { return 0 }
        let isAhead = reader.skip("+")
        guard isAhead || reader.skip("-"), let hour = reader.number(2), hour < 24 else {
            return nil
        }
        _ = reader.skip(":")
        var minute: Int64 = 0
        if !reader.isAtEnd {
            guard let given = reader.number(2), given < 60 else { return nil }
            minute = given
        }
        let distance = (hour * 60 + minute) * 60_000
        return isAhead ? distance : -distance
    }

    /// Days from 1970-01-01, by the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years that begin in March put the leap day at their end.
        let shifted = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: return 30
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: return 31
        }
    }
}

/// Reads digits of a known number from the front of a text.
private struct Digits {
    private let text: ByteView
    private var position = 0

    init(_ text: ByteView) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func skip(_ character: StaticString) -> Bool {
        guard text.has(position), text[position] == ByteView(character)[0] else { return false }
        position += 1
        return true
    }

    mutating func number(_ count: Int) -> Int64? {
        guard text.holds(count, at: position),
            let value = text[position..<position + count].decimal
        else { return nil }
        position += count
        return Int64(value)
    }

    /// The first three digits of a fraction; further ones are passed over.
    mutating func milliseconds() -> Int64? {
        var (value, weight): (Int64, Int64) = (0, 100)
        let start = position
        while text.has(position), text[position] &- 48 < 10 {
            value += Int64(text[position] &- 48) * weight
            weight /= 10
            position += 1
        }
        return position > start && position - start <= 12 ? value : nil
    }
}
