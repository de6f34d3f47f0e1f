// Goal: a question about a funnel is understood as it is meant or refused by name and place, what it holds
// never becomes a part of a statement, and a goal's pace is what its words say. Method: values alone.
import Foundation
import Testing

@testable import Companion

@Suite struct FunnelTests {
    private let now = Date(timeIntervalSince1970: 1_795_000_000)

    private func plan(_ body: String) throws -> FunnelPlan {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))
        return try FunnelPlan(value, site: "shop", zone: .gmt, now: now)
    }

    @Test func aFunnelIsReadWithItsDefaults() throws {
        let read = try plan(
            #"{"steps":[[{"page":"/a*"}],[{"form":"f","phase":"submitted"},{"event":"e"}]],"range":{"last":"7d"}}"#
        )
        #expect(read.steps == [[.page("/a*")], [.form("f", isSubmitted: true), .event("e")]])
        #expect(read.order == .anyBetween && read.windowSeconds == 7 * 86_400)
    }

    @Test(arguments: [
        (#"{"steps":[[]],"range":{"last":"7d"}}"#, "/steps/0"),
        (#"{"steps":[[{"page":""}]],"range":{"last":"7d"}}"#, "/steps/0/0"),
        (#"{"steps":[[{"page":"a","form":"b"}]],"range":{"last":"7d"}}"#, "/steps/0/0"),
        (#"{"steps":[[{"form":"a","phase":"x"}]],"range":{"last":"7d"}}"#, "/steps/0/0/phase"),
        (#"{"steps":[[{"page":"a"}]],"window":"7","range":{"last":"7d"}}"#, "/window"),
        (#"{"steps":[[{"page":"a"}]],"window":"-7d","range":{"last":"7d"}}"#, "/window"),
        (#"{"steps":[[{"page":"a"}]],"order":"x","range":{"last":"7d"}}"#, "/order"),
        (#"{"steps":[[{"page":"a"}]]}"#, "/range"),
    ])
    func mistakesAreNamedWithTheirPlace(_ body: String, _ pointer: String) {
        let problem = #expect(throws: ApiProblem.self) { try plan(body) }
        #expect(problem?.pointer == pointer)
    }

    @Test func onlyTheAsteriskStandsForAnything() {
        #expect(FunnelStatement.pattern(#"/a_b%c\d*"#) == #"/a\_b\%c\\d%"#)
    }

    @Test func whatIsAskedForTravelsApartFromTheStatement() throws {
        let evil = "x'; DROP TABLE heliograph.event; --"
        let marks = ["page", "event", "conversion", "form"].map { #"[{"\#($0)":"\#(evil)"}]"# }
        let read = try plan(#"{"steps":[\#(marks.joined(separator: ","))],"range":{"last":"7d"}}"#)
        let statement = FunnelStatement(plan: read).query
        #expect(!statement.text.contains("DROP"))
        #expect(statement.parameters.filter { $0 == evil }.count == 4)
    }

    @Test func aSumIsExpectedToGrowEvenlyAndARateToHold() throws {
        let range = QueryRange(
            from: now.addingTimeInterval(-86_400),
            to: now.addingTimeInterval(3 * 86_400),
            shift: DateComponents(day: 4)
        )
        func goal(_ name: String, _ target: Double) throws -> Goal {
            let metric = try #require(QueryMetric.named[name])
            return Goal(metric: metric, period: .month, target: target, updatedAt: 0, updatedBy: "")
        }
        #expect(try goal("visitors", 400).expected(at: now, in: range) == 100)
        #expect(try goal("conversion_rate", 0.4).expected(at: now, in: range) == 0.4)
        #expect(try goal("visitors", 400).expected(at: range.to + 9, in: range) == 400)
        #expect(GoalRoutes.pace(.integer(90), 100) == .number(-0.1))
        #expect(GoalRoutes.pace(.integer(0), 0) == .null && GoalRoutes.pace(.null, 5) == .null)
    }
}
