import Bytes
import TestSupport
import Testing
import Wire

/// llhttp's request tests. We may be stricter than its strict parser, never laxer.
@Suite(
    .enabled(
        if: SharedData.exists(SharedData.httpSuite),
        "llhttp's tests are not beside the repository; HELIOGRAPH_SHARED names their folder"
    )
)
struct HTTPSuiteTests {
    @Test func theSuiteIsWhole() throws {
        let cases = try HTTPSuiteCase.all()
        #expect(cases.count > 100)
        #expect(cases.contains { $0.isRefused } && cases.contains { !$0.isRefused })
    }

    @Test func whatLlhttpRefusesIsRefused() throws {
        var score = Score()
        for one in try HTTPSuiteCase.all() where one.isRefused && laxer[one.title] == nil {
            // Some cases end within a line, about which nothing can be said before it is complete.
            let ended = one.input + Array("\r\n\r\n".utf8)
            let isRefused = read(ended).isRefused
            score.count(isRefused)
            #expect(isRefused, "accepted: \(one)")
        }
        print("llhttp: \(score) of what its strict parser refuses are refused")
    }

    @Test func whatLlhttpAcceptsIsAcceptedUnlessWeAreStricterOnPurpose() throws {
        var score = Score()
        var onPurpose = 0
        for one in try HTTPSuiteCase.all() where !one.isRefused {
            if stricter[one.title] != nil {
                onPurpose += 1
                continue
            }
            let reading = read(withHost(one.input))
            score.count(!reading.isRefused)
            #expect(!reading.isRefused, "refused for \(reading): \(one)")
        }
        print("llhttp: \(score) of what it accepts are accepted, \(onPurpose) refused on purpose")
    }

    /// An entry that names no case any more would hide a new one of that name.
    @Test func everyDifferenceNamesACase() throws {
        let titles = Set(try HTTPSuiteCase.all().map(\.title))
        for title in Array(stricter.keys) + Array(laxer.keys) {
            #expect(titles.contains(title), "no such case: \(title)")
        }
    }

    @Test func everyCutGivesTheSame() throws {
        let inputs = try HTTPSuiteCase.all().flatMap { [$0.input, withHost($0.input)] }
        print("llhttp: \(inputs.count) streams, \(expectEveryCutTheSame(inputs)) cuts")
    }
}
