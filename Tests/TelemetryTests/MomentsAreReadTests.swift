// Goal: moments are read as they are written, and nothing else passes for one.
// Method: moments of many centuries written and read back; days alone; texts that are none.

import Telemetry
import Testing

struct MomentsAreReadTests {
    @Test func whatIsWrittenIsReadBack() {
        var moment: Int64 = -60_000_000_000_000
        while moment < 60_000_000_000_000 {
            #expect(RFC3339.epochMilliseconds(RFC3339.text(epochMilliseconds: moment)) == moment)
            moment += 86_400_000 * 17 + 12_345_678
        }
    }

    @Test func daysAndShorterMomentsAreTaken() {
        #expect(RFC3339.epochMilliseconds("1970-01-02") == 86_400_000)
        #expect(RFC3339.epochMilliseconds("2026-03-14T09:30:00Z") == 1_773_480_600_000)
        #expect(RFC3339.epochMilliseconds("2026-03-14T09:30Z") == 1_773_480_600_000)
        #expect(RFC3339.epochMilliseconds("2024-02-29") != nil)
    }

    @Test(arguments: [
        "", "2026", "2026-3-14", "2026-13-01", "2026-02-29", "2026-00-10", "2026-03-14T", "today",
        "2026-03-14T25:00:00Z", "2026-03-14T09:61Z", "2026-03-14T09:30:61Z", "2026-03-14 09:30:00Z",
        "2026-03-14T09:30:00", "2026-03-14T09:30:00+01:00", "2026-03-14T09:30:00.1Z", "2026/03/14",
    ])
    func otherTextsAreNone(_ text: String) {
        #expect(RFC3339.epochMilliseconds(text) == nil)
    }
}
