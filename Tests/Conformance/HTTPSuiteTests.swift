import Bytes
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
        for one in try HTTPSuiteCase.all() where one.isRefused && laxer[one.title] == nil {
            // Some cases end within a line, about which nothing can be said before it is complete.
            let ended = one.input + Array("\r\n\r\n".utf8)
            #expect(read(ended).isRefused, "accepted: \(one)")
        }
    }

    @Test func whatLlhttpAcceptsIsAcceptedUnlessWeAreStricterOnPurpose() throws {
        for one in try HTTPSuiteCase.all() where !one.isRefused && stricter[one.title] == nil {
            let reading = read(withHost(one.input))
            #expect(!reading.isRefused, "refused for \(reading): \(one)")
        }
    }

    /// Cut anywhere, the same requests are read, or the same connection is refused.
    @Test func everyCutGivesTheSame() throws {
        for one in try HTTPSuiteCase.all() {
            for input in [one.input, withHost(one.input)] {
                let whole = read(input)
                for cut in 0...input.count {
                    #expect(read(input, cut: cut) == whole, "cut at \(cut): \(one)")
                }
            }
        }
    }
}
