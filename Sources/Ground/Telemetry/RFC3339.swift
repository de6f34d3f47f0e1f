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
