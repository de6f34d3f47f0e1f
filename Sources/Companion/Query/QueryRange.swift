import Foundation
import Telemetry

/// A span of time in a site's zone, cut into buckets.
struct QueryRange: Sendable, Equatable {
    /// How long a bucket is.
    enum Grain: String, CaseIterable, Sendable {
        case minute, quarter, hour, day, week, month

        fileprivate var step: (Calendar.Component, Int) {
            switch self {
            case .minute: (.minute, 1)
            case .quarter: (.minute, 15)
            case .hour: (.hour, 1)
            case .day: (.day, 1)
            case .week: (.day, 7)
            case .month: (.month, 1)
            }
        }
    }

    /// Half open.
    let from: Date
    let to: Date
    /// What the time before it of the same kind is apart by.
    let shift: DateComponents

    init(from: Date, to: Date, shift: DateComponents) {
        (self.from, self.to, self.shift) = (from, to, shift)
    }

    static func calendar(_ zone: TimeZone) -> Calendar {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = zone
        return calendar
    }

    /// The range that `value` names, seen from `now`.
    init(_ value: JSONValue, now: Date, zone: TimeZone) throws {
        var fields = try FieldReader(value, at: "/range")
        let (last, preset) = (try fields.text("last"), try fields.text("preset"))
        let (from, to) = (try fields.text("from"), try fields.text("to"))
        let includesToday = try fields.truth("include_today") ?? false
        try fields.end()
        let calendar = Self.calendar(zone)
        switch (last, preset, from, to) {
        case (let last?, nil, nil, nil):
            self = try Self.last(last, includesToday, now, calendar)
        case (nil, let preset?, nil, nil):
            self = try Self.preset(preset, now, calendar)
        case (nil, nil, let from?, let to?):
            self = try Self.between(from, to, calendar, at: "/range")
        default:
            throw ApiProblem.field(
                "invalid-range",
                "/range",
                "must have last, or preset, or from and to"
            )
        }
    }

    /// Whole days that end yesterday, or with today; hours and minutes that end now.
    private static func last(
        _ text: String,
        _ includesToday: Bool,
        _ now: Date,
        _ calendar: Calendar
    ) throws -> QueryRange {
        let units: [(String, Calendar.Component, Int)] = [
            ("mo", .month, 25), ("m", .minute, 2_880), ("h", .hour, 744), ("d", .day, 761),
        ]
        guard let (suffix, unit, maximum) = units.first(where: { text.hasSuffix($0.0) }),
            let count = Int(text.dropLast(suffix.count)), (1...maximum).contains(count)
        else {
            throw ApiProblem.field("invalid-range", "/range/last", "must be such as 24h, 28d, 12mo")
        }
        let shift = DateComponents([unit: count])
        guard unit == .day || unit == .month else {
            return QueryRange(from: calendar.moved(now, unit, -count), to: now, shift: shift)
        }
        let today = calendar.startOfDay(for: now)
        let end = includesToday ? calendar.moved(today, .day, 1) : today
        return QueryRange(from: calendar.moved(end, unit, -count), to: end, shift: shift)
    }

    private static func preset(
        _ name: String,
        _ now: Date,
        _ calendar: Calendar
    ) throws -> QueryRange {
        let today = calendar.startOfDay(for: now)
        let month = calendar.dateInterval(of: .month, for: now)?.start ?? today
        switch name {
        case "today": return span(today, .day, 1, calendar)
        case "yesterday": return span(calendar.moved(today, .day, -1), .day, 1, calendar)
        case "week":
            let week = calendar.dateInterval(of: .weekOfYear, for: now)?.start ?? today
            return span(week, .day, 7, calendar)
        case "month": return span(month, .month, 1, calendar)
        case "quarter":
            let past = (calendar.component(.month, from: now) - 1) % 3
            return span(calendar.moved(month, .month, -past), .month, 3, calendar)
        case "year":
            let past = calendar.component(.month, from: now) - 1
            return span(calendar.moved(month, .month, -past), .month, 12, calendar)
        default:
            throw ApiProblem.field(
                "invalid-range",
                "/range/preset",
                "is not known",
                ["today", "yesterday", "week", "month", "quarter", "year"]
            )
        }
    }

    private static func span(
        _ from: Date,
        _ unit: Calendar.Component,
        _ count: Int,
        _ calendar: Calendar
    ) -> QueryRange {
        QueryRange(
            from: from,
            to: calendar.moved(from, unit, count),
            shift: DateComponents([unit: count])
        )
    }

    /// Days of the site, or moments with an offset.
    static func between(
        _ from: String,
        _ to: String,
        _ calendar: Calendar,
        at pointer: String
    ) throws -> QueryRange {
        guard let begin = moment(from, calendar), let end = moment(to, calendar), begin < end else {
            throw ApiProblem.field(
                "invalid-range",
                pointer,
                "needs from before to, both as 2026-03-14 or 2026-03-14T09:30:00Z"
            )
        }
        guard calendar.moved(begin, .month, 25) >= end else {
            throw ApiProblem.field(
                "range-too-long",
                pointer,
                "must not be longer than 25 months",
                status: 422
            )
        }
        let days = calendar.dateComponents([.day], from: begin, to: end).day ?? 0
        let isWhole = days > 0 && calendar.moved(begin, .day, days) == end
        let seconds = Int(end.timeIntervalSince(begin).rounded())
        let shift = DateComponents(isWhole ? [.day: days] : [.second: seconds])
        return QueryRange(from: begin, to: end, shift: shift)
    }

    private static func moment(_ text: String, _ calendar: Calendar) -> Date? {
        // A day alone is one of the site's; the reader of moments takes it for one of UTC's.
        if text.utf8.count != 10 {
            let milliseconds = RFC3339.epochMilliseconds(text)
            return milliseconds.map { Date(timeIntervalSince1970: Double($0) / 1_000) }
                ?? (try? Date(text, strategy: .iso8601))
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let year = Int(parts[0]),
            let month = Int(parts[1]), let day = Int(parts[2]), (1970...2200).contains(year)
        else { return nil }
        let components = DateComponents(year: year, month: month, day: day)
        guard let date = calendar.date(from: components),
            calendar.dateComponents([.year, .month, .day], from: date) == components
        else { return nil }
        return date
    }

    // MARK: - Comparing and cutting

    /// The part that is over at `now`: what a running range is compared by.
    func elapsed(_ now: Date) -> QueryRange {
        QueryRange(from: from, to: max(from, min(to, now)), shift: shift)
    }

    /// The same range, so much earlier.
    func moved(_ shift: DateComponents, _ calendar: Calendar) -> QueryRange {
        let back = shift.negated
        return QueryRange(
            from: calendar.date(byAdding: back, to: from) ?? from,
            to: calendar.date(byAdding: back, to: to) ?? to,
            shift: self.shift
        )
    }

    /// Beginnings of the buckets, the first of them the range's own.
    func buckets(_ grain: Grain, _ calendar: Calendar, most: Int) throws -> [Date] {
        var starts = [from]
        var next = calendar.next(grain, after: from)
        while next < to {
            if starts.count >= most {
                throw ApiProblem.field(
                    "grain-too-fine",
                    "/grain",
                    "makes more than \(most) buckets of this range",
                    status: 422
                )
            }
            starts.append(next)
            next = calendar.next(grain, after: next)
        }
        return starts
    }
}

extension Calendar {
    fileprivate func moved(_ date: Date, _ unit: Component, _ count: Int) -> Date {
        self.date(byAdding: unit, value: count, to: date) ?? date
    }

    /// Where the bucket behind the one that `date` lies in begins. Days and longer are of the site's zone,
    /// so a day may have 23 or 25 hours.
    fileprivate func next(_ grain: QueryRange.Grain, after date: Date) -> Date {
        let (unit, count) = grain.step
        switch grain {
        case .minute, .quarter, .hour:
            let seconds = grain == .minute ? 60.0 : grain == .quarter ? 900 : 3_600
            // Offsets of zones are multiples of a quarter of an hour, so local hours are cut locally.
            let offset = Double(timeZone.secondsFromGMT(for: date))
            let local = date.timeIntervalSince1970 + offset
            return Date(
                timeIntervalSince1970: ((local / seconds).rounded(.down) + 1) * seconds - offset
            )
        case .day: return moved(startOfDay(for: date), unit, count)
        case .week:
            let start = dateInterval(of: .weekOfYear, for: date)?.start ?? startOfDay(for: date)
            return moved(start, unit, count)
        case .month:
            let start = dateInterval(of: .month, for: date)?.start ?? startOfDay(for: date)
            return moved(start, unit, count)
        }
    }
}

extension DateComponents {
    fileprivate init(_ values: [Calendar.Component: Int]) {
        self.init()
        for (unit, value) in values { setValue(value, for: unit) }
    }

    fileprivate var negated: DateComponents {
        var copy = self
        copy.year = year.map { -$0 }
        copy.month = month.map { -$0 }
        copy.day = day.map { -$0 }
        copy.hour = hour.map { -$0 }
        copy.minute = minute.map { -$0 }
        copy.second = second.map { -$0 }
        return copy
    }
}
