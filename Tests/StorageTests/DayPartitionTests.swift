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
        #expect(EventTable(day: day).name == name)
    }

    @Test func everyNameHasTheAllowedShapeAndGrows() {
        var last = ""
        for day in Int32(20_000)..<42_000 {
            let name = EventTable(day: day).name
            #expect(name.hasPrefix("heliograph.event_") && name.count == 25)
            #expect(name.dropFirst(17).allSatisfy { $0.isASCII && $0.isNumber })
            #expect(name > last)
            last = name
        }
    }
}
