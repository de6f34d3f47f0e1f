import Telemetry
import TestSupport
import Testing
import Wire

@testable import heliograph

/// Every way in which decoding can fail has its own answer.
@Suite struct ProblemsAreNamedTests {
    @Test(arguments: FramingError.allCases)
    func brokenFramingEndsTheConnection(_ error: FramingError) {
        let problem = BeaconProblems.problem(of: error)
        #expect(problem.row.closes)
        #expect((400..<600).contains(problem.row.status))
    }

    @Test func framingErrorsHaveTheirStatus() {
        #expect(BeaconProblems.problem(of: FramingError.badChunk).row.status == 400)
        #expect(BeaconProblems.problem(of: FramingError.lengthAndEncoding).row.status == 400)
        #expect(BeaconProblems.problem(of: FramingError.headerTooLarge).row.status == 431)
        #expect(BeaconProblems.problem(of: FramingError.lineTooLong).row.status == 414)
        #expect(BeaconProblems.problem(of: FramingError.bodyTooLarge).row.status == 413)
        #expect(BeaconProblems.problem(of: FramingError.unsupportedVersion).row.status == 505)
        #expect(BeaconProblems.problem(of: FramingError.unsupportedExpectation).row.status == 417)
    }

    @Test(arguments: EventFault.allCases)
    func anEventsFaultIsAboutTheEventAlone(_ fault: EventFault) {
        #expect(BeaconProblems.problem(of: fault).isAboutOneEvent)
    }

    @Test func bombsAndDamageAreToldApart() {
        for error in [InflateError.corrupt, .truncated, .trailingData] {
            #expect(BeaconProblems.problem(of: error) == .gzipMalformed)
        }
        for error in [InflateError.tooLarge, .ratioTooHigh] {
            #expect(BeaconProblems.problem(of: error) == .inflatedTooLarge)
        }
    }

    @Test(arguments: [
        ("z=1", true), ("want=score&z=1", true), ("z=1&want=score", true), ("", false),
        ("z=10", false), ("zz=1", false), ("az=1", false), ("z=1x", false), ("&&", false),
    ])
    func aMarkOfCompressionStandsAnywhere(_ query: String, _ found: Bool) {
        #expect(withView(query) { $0.hasParameter("z=1") } == found)
    }
}
