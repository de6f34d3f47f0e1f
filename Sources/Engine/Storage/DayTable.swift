/// The partition that holds one day of a table. Its name and bounds are made of an integer and a
/// literal and nothing else: these are the only identifiers that are put into SQL at run time.
struct DayTable {
    /// The tables that are kept by day.
    enum Parent: String {
        case event = "heliograph.event"
        case rejected = "heliograph.rejected_event"
    }

    let parent: Parent
    let year: Int
    let month: Int
    let dayOfMonth: Int

    /// The civil date of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
    init(_ parent: Parent, day: Int32) {
        self.parent = parent
        let shifted = Int(day) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        number = day
    }

    private let number: Int32

    /// The table of a date written as a number, such as 20260314; nil when there is no such day.
    init?(_ parent: Parent, date: Int32) {
        let (year, month, day) = (Int(date) / 10_000, Int(date) / 100 % 100, Int(date) % 100)
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        // Hinnant's `days_from_civil`, for years after 0.
        let marchYear = month <= 2 ? year - 1 : year
        let yearOfEra = marchYear % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(parent, day: Int32(marchYear / 400 * 146_097 + dayOfEra - 719_468))
        guard self.year == year, self.month == month, dayOfMonth == day else { return nil }
    }

    /// One day of every table that is kept by day.
    static func all(day: Int32) -> [DayTable] {
        [DayTable(.event, day: day), DayTable(.rejected, day: day)]
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private var date: String {
        Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(dayOfMonth, 2)
    }

    /// Such as `heliograph.event_20260314`.
    var name: String {
        parent.rawValue + "_" + Self.padded(year, 4) + Self.padded(month, 2)
            + Self.padded(dayOfMonth, 2)
    }

    var createStatement: String {
        let next = DayTable(parent, day: number &+ 1)
        return "CREATE TABLE IF NOT EXISTS " + name + " PARTITION OF " + parent.rawValue
            + " FOR VALUES FROM ('" + date + " 00:00:00+00') TO ('" + next.date + " 00:00:00+00')"
    }

    var dropStatement: String { "DROP TABLE IF EXISTS " + name }

    var copyStatement: String {
        let columns = parent == .event ? Self.eventColumns : Self.rejectedColumns
        return "COPY " + name + columns + " FROM STDIN (FORMAT binary)"
    }

    private static let eventColumns =
        " (n, occurred_at, received_at, journal_offset, page, partition, consent, bot, site, visitor_id,"
        + " session_id, window_id, message_id, user_id, type, name, address, context, properties, flags)"

    static let eventColumnCount: Int16 = 20

    private static let rejectedColumns =
        " (received_at, journal_offset, partition, flags, bytes_sent, reason, place, site, key, format,"
        + " path, event_id, address, user_agent, bytes)"

    static let rejectedColumnCount: Int16 = 15
}
