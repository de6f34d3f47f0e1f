/// Moments as RFC 3339 writes them, in UTC with milliseconds.
public enum RFC3339 {
    /// `2026-11-21T04:15:20.123Z`.
    public static func text(epochMilliseconds: Int64) -> String {
        let (days, rest) = epochMilliseconds.flooredQuotient(by: 86_400_000)
        let (year, month, day) = civil(days: days)
        let clock = "\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):\(two(rest / 1_000 % 60))"
        return "\(pad(year, 4))-\(two(month))-\(two(day))T\(clock).\(pad(rest % 1_000, 3))Z"
    }

    /// Days since the epoch as a date of the Gregorian calendar: counting in eras of 400 years
    /// from March, so that the leap day comes last.
    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredQuotient(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    /// A day (`2026-03-14`, its begin) or a moment (`2026-03-14T09:30:00Z`, with or without seconds and
    /// thousandths), both in UTC; nil when the text is neither.
    public static func epochMilliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 10, let year = number(bytes, 0, 4), let month = number(bytes, 5, 2),
            let day = number(bytes, 8, 2), bytes[4] == UInt8(ascii: "-"), bytes[7] == bytes[4],
            (1...12).contains(month)
        else { return nil }
        let days = days(year, month, day)
        guard civil(days: days) == (year, month, day) else { return nil }
        guard let clock = clockMilliseconds(bytes.dropFirst(10)) else { return nil }
        return days * 86_400_000 + clock
    }

    /// `T09:30Z`, `T09:30:00Z`, `T09:30:00.123Z`, or nothing.
    private static func clockMilliseconds(_ slice: ArraySlice<UInt8>) -> Int64? {
        if slice.isEmpty { return 0 }
        let bytes = Array(slice)
        let shape = bytes.map { (48...57).contains($0) ? UInt8(ascii: "0") : $0 }
        let shapes = ["T00:00Z", "T00:00:00Z", "T00:00:00.000Z"].map { Array($0.utf8) }
        guard shapes.contains(shape), let hour = number(bytes, 1, 2), hour < 24,
            let minute = number(bytes, 4, 2), minute < 60
        else { return nil }
        let second = bytes.count >= 10 ? number(bytes, 7, 2) ?? 0 : 0
        let thousandths = bytes.count == 14 ? number(bytes, 10, 3) ?? 0 : 0
        guard second < 60 else { return nil }
        return ((hour * 60 + minute) * 60 + second) * 1_000 + thousandths
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64? {
        guard bytes.count >= start + count else { return nil }
        var number: Int64 = 0
        for byte in bytes[start..<start + count] {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - 48)
        }
        return number
    }

    /// The inverse of `civil`.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? month - 3 : month + 9
        let (era, yearOfEra) = (month > 2 ? year : year - 1).flooredQuotient(by: 400)
        let dayOfYear = (153 * shifted + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func two(_ number: Int64) -> String { pad(number, 2) }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
