/// A day of the Gregorian calendar.
struct CalendarDate: Comparable {
    let year: Int
    let month: Int
    let day: Int

    /// A day that exists; nil otherwise.
    init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.days(of: month, year) else {
            return nil
        }
        (self.year, self.month, self.day) = (year, month, day)
    }

    private static func days(of month: Int, _ year: Int) -> Int {
        switch month {
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    /// The day of an instant in UTC, by the arithmetic of civil dates: years begin in March, so that a
    /// leap day is the last of its year.
    init(milliseconds: Int64) {
        let shifted = Int(milliseconds / 86_400_000) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// A birthday: `YYYYMMDD`, `Y-M-D` (a time may follow), `D.M.Y`, or `M/D/Y` as in the United States.
    init?(birthday text: String) {
        let plain = TextForms.asciiDigits(TextForms.trimmed(text))
        if plain.utf8.count == 8, TextForms.isDigits(plain) {
            let number = Int(plain) ?? 0
            self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
            return
        }
        for (separator, order) in [("-", [0, 1, 2]), (".", [2, 1, 0]), ("/", [2, 0, 1])] {
            guard let parts = Self.parts(plain, separator) else { continue }
            let fields = order.map { parts[$0] }
            guard fields[0].utf8.count == 4, let year = Int(fields[0]), let month = Int(fields[1]),
                let day = Int(fields[2])
            else { return nil }
            self.init(year: year, month: month, day: day)
            return
        }
        return nil
    }

    private static func parts(_ text: String, _ separator: String) -> [Substring]? {
        var parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        if separator == "-", let time = parts[2].firstIndex(where: { $0 == "T" || $0 == " " }) {
            parts = [parts[0], parts[1], parts[2][..<time]]
        }
        guard parts.count == 3, parts.allSatisfy({ TextForms.isDigits($0) && $0.utf8.count <= 4 })
        else { return nil }
        return parts
    }

    /// `YYYYMMDD`.
    var digits: String {
        let number = String(year * 10_000 + month * 100 + day)
        return String(repeating: "0", count: 8 - number.utf8.count) + number
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}
