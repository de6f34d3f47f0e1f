// Goal: the only identifiers put into SQL at run time are dates. Method: dates checked against known
// ones, and every name of 60 years against the shape that is allowed.
import Testing

@testable import Storage

struct DayPartitionTests {
    @Test(arguments: [
        (0, "heliograph.event_19700101"), (59, "heliograph.event_19700301"),
        (11_016, "heliograph.event_20000229"), (11_017, "heliograph.event_20000301"),
        (20_526, "heliograph.event_20260314"), (20_819, "heliograph.event_20270101"),
    ]) func knownDays(day: Int32, name: String) {
        #expect(DayTable(.event, day: day).name == name)
    }

    @Test func everyNameHasTheAllowedShapeAndGrows() {
        var last = ""
        for day in Int32(20_000)..<42_000 {
            let name = DayTable(.event, day: day).name
            #expect(name.hasPrefix("heliograph.event_") && name.count == 25)
            #expect(name.dropFirst(17).allSatisfy { $0.isASCII && $0.isNumber })
            #expect(name > last)
            last = name
        }
    }

    @Test func aDateNamesItsDayAndNothingElse() {
        for day in Int32(0)..<60_000 {
            let table = DayTable(.rejected, day: day)
            let date = Int32(table.year * 10_000 + table.month * 100 + table.dayOfMonth)
            #expect(DayTable(.rejected, date: date)?.name == table.name)
        }
        for date in [0, 20_260_229, 20_261_301, 20_260_100, 20_260_132, 99_999_999] as [Int32] {
            #expect(DayTable(.rejected, date: date)?.name == nil)
        }
    }
}
