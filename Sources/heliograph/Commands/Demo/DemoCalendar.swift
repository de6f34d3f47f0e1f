import Foundation

/// When people come: more by and by, fewer on some days and hours, many more while a campaign runs.
struct DemoCalendar {
    static let dayMilliseconds: Int64 = 86_400_000
    static let hourMilliseconds: Int64 = 3_600_000
    /// Thursday was the first day of 1970.
    private static let byWeekday = [1.0, 0.94, 0.86, 1.08, 1.12, 1.06, 1.02]
    private static let byHour = [
        0.10, 0.06, 0.04, 0.04, 0.06, 0.14, 0.34, 0.62, 0.84, 0.96, 1.02, 1.04, 1.10, 1.00, 0.94,
        0.96, 1.00, 1.06, 1.18, 1.36, 1.44, 1.22, 0.72, 0.32,
    ]
    /// From the first day to the last.
    private static let growth = 0.35

    let begin: Int64
    let end: Int64
    /// People come from a campaign then.
    let campaign: Range<Int64>
    /// A release has broken the form then.
    let incident: Range<Int64>
    /// Hours that people may come in, with the weight of all up to each.
    private var hours: [(begin: Int64, upTo: Double)] = []

    /// The `days` days that end at `end`.
    init(days: Int, end: Int64) {
        let span = Int64(days) * Self.dayMilliseconds
        self.end = end
        begin = end - span
        // Both lie within the last weeks, which is what people look at first.
        let recent = min(span, 30 * Self.dayMilliseconds)
        let campaignDays = Double(min(3, max(1, days / 10)))
        campaign = Self.range(end - recent * 13 / 30, days: campaignDays)
        incident = Self.range(end - recent * 7 / 30, days: days < 10 ? 0.5 : 1.4)
        var total = 0.0
        for hour in stride(from: begin, to: end, by: Int(Self.hourMilliseconds)) {
            total += weight(at: hour)
            hours.append((hour, total))
        }
    }

    private static func range(_ begin: Int64, days: Double) -> Range<Int64> {
        begin..<begin + Int64(days * Double(dayMilliseconds))
    }

    private func weight(at time: Int64) -> Double {
        let day = Int(time / Self.dayMilliseconds % 7)
        let hour = Int(time / Self.hourMilliseconds % 24)
        let grown = 1 + Self.growth * Double(time - begin) / Double(end - begin)
        return Self.byWeekday[day] * Self.byHour[hour] * grown * (campaign.contains(time) ? 1.9 : 1)
    }

    /// A moment at which somebody comes for the first time.
    func arrival(_ dice: inout DemoDice) -> Int64 {
        let wanted = dice.share() * (hours.last?.upTo ?? 0)
        let hour = hours.first { $0.upTo > wanted }?.begin ?? begin
        return min(end - 1, hour + Int64(dice.share() * Double(Self.hourMilliseconds)))
    }

    /// A moment of the last days, for the first visit of who is in the shop now.
    func lately(_ dice: inout DemoDice) -> Int64 {
        end
            - Int64(
                min(0.8, 0.2 + dice.share()) * Double(min(end - begin, 5 * Self.dayMilliseconds))
            )
    }

    /// The same hour of the day, more or less, so many days later.
    func again(_ time: Int64, _ dice: inout DemoDice) -> Int64 {
        let days = 0.4 + pow(dice.share(), 2) * 11
        let shift = (dice.share() - 0.5) * 5 * Double(Self.hourMilliseconds)
        return time + Int64(days.rounded(.up) * Double(Self.dayMilliseconds) + shift)
    }
}
