// Goal: a question about figures is understood as it is meant, in the site's own days, or refused by name;
// what it holds never becomes a part of a statement. Method: plans and statements alone.
import Foundation
import Testing

@testable import Companion

@Suite struct QueryTests {
    private let berlin = TimeZone(identifier: "Europe/Berlin") ?? .gmt

    private func date(_ text: String) -> Date? { try? Date(text, strategy: .iso8601) }

    private func plan(_ body: String, now: String = "2026-11-21T11:30:00Z") throws -> QueryPlan {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))
        return try QueryPlan(value, site: "shop", zone: berlin, now: try #require(date(now)))
    }

    private func range(_ text: String, now: String = "2026-11-21T11:30:00Z") throws -> QueryRange {
        try plan(#"{"metrics":["visitors"],"range":\#(text)}"#, now: now).range
    }

    @Test(arguments: [
        (#"{"last":"7d"}"#, "2026-11-13T23:00:00Z", "2026-11-20T23:00:00Z"),
        (#"{"last":"1d","include_today":true}"#, "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"),
        (#"{"last":"24h"}"#, "2026-11-20T11:30:00Z", "2026-11-21T11:30:00Z"),
        (#"{"last":"30m"}"#, "2026-11-21T11:00:00Z", "2026-11-21T11:30:00Z"),
        (#"{"preset":"today"}"#, "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"),
        (#"{"preset":"month"}"#, "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
        (#"{"preset":"quarter"}"#, "2026-09-30T22:00:00Z", "2026-12-31T23:00:00Z"),
        (#"{"preset":"year"}"#, "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        (
            #"{"from":"2026-10-25","to":"2026-10-26"}"#, "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z"
        ),
        (
            #"{"from":"2026-03-14T09:30:00+01:00","to":"2026-03-15"}"#, "2026-03-14T08:30:00Z",
            "2026-03-14T23:00:00Z"
        ),
    ])
    func rangesAreOfTheSitesDays(_ text: String, _ from: String, _ to: String) throws {
        let found = try range(text)
        #expect(found.from == date(from) && found.to == date(to), "\(found)")
    }

    @Test func daysOfTwoLengthsAreWhole() throws {
        let days = try plan(
            #"{"metrics":["visitors"],"grain":"day","range":{"from":"2026-10-24","to":"2026-10-27"}}"#
        )
        let lengths = try days.buckets(of: days.range) + [days.range.to]
        #expect(
            zip(lengths.dropFirst(), lengths).map { $0.timeIntervalSince($1) / 3_600 }
                == [24, 25, 24]
        )
        let hours = try plan(
            #"{"metrics":["visitors"],"grain":"hour","range":{"from":"2026-10-25","to":"2026-10-26"}}"#
        )
        #expect(try hours.buckets(of: hours.range).count == 25)
        let spring = try plan(
            #"{"metrics":["visitors"],"grain":"hour","range":{"from":"2026-03-29","to":"2026-03-30"}}"#
        )
        #expect(try spring.buckets(of: spring.range).count == 23)
    }

    @Test func aRunningRangeIsComparedWithTheSamePart() throws {
        let today = try plan(
            #"{"metrics":["visitors"],"range":{"preset":"today"},"compare":{"to":"previous"}}"#
        )
        #expect(today.range.to == date("2026-11-21T11:30:00Z"))
        let earlier = try #require(today.comparison).range
        #expect(earlier.from == date("2026-11-19T23:00:00Z"))
        #expect(earlier.to == date("2026-11-20T11:30:00Z"))
        let month = try plan(
            #"{"metrics":["visitors"],"range":{"preset":"month"},"compare":{"to":"year_ago"}}"#
        )
        #expect(month.comparison?.range.from == date("2025-10-31T23:00:00Z"))
        let whole = try plan(
            #"""
            {"metrics":["visitors"],"range":{"preset":"today"},
            "compare":{"to":"previous","align":"full"}}
            """#
        )
        #expect(whole.range.to == date("2026-11-21T23:00:00Z"))
    }

    @Test(arguments: [
        (#"{}"#, "invalid-field", "/metrics"),
        (#"{"metrics":["vistors"],"range":{"last":"7d"}}"#, "unknown-metric", "/metrics/0"),
        (
            #"{"metrics":["visitors"],"dimensions":["x"],"range":{"last":"7d"}}"#,
            "unknown-dimension", "/dimensions/0"
        ),
        (#"{"metrics":["visitors"],"range":{"last":"7y"}}"#, "invalid-range", "/range/last"),
        (#"{"metrics":["visitors"],"range":{}}"#, "invalid-range", "/range"),
        (
            #"{"metrics":["visitors"],"range":{"from":"2026-02-30","to":"2026-03-05"}}"#,
            "invalid-range", "/range"
        ),
        (
            #"{"metrics":["visitors"],"range":{"from":"2020-01-01","to":"2026-03-05"}}"#,
            "range-too-long", "/range"
        ),
        (
            #"{"metrics":["visitors"],"grain":"minute","range":{"last":"7d"}}"#, "grain-too-fine",
            "/grain"
        ),
        (
            #"{"metrics":["sessions"],"dimensions":["event.page"],"range":{"last":"7d"}}"#,
            "incompatible-fields", "/dimensions/0"
        ),
        (#"{"metrics":["visitors"],"range":{"last":"7d"},"sql":"x"}"#, "unknown-field", "/sql"),
        (
            #"{"metrics":["visitors"],"range":{"last":"7d"},"filter":{"field":"event.type","op":"~"}}"#,
            "invalid-filter", "/filter/op"
        ),
        (
            #"{"metrics":["visitors"],"range":{"last":"7d"},"filter":{"and":[]}}"#,
            "invalid-filter", "/filter/and"
        ),
    ])
    func mistakesAreNamedWithTheirPlace(_ body: String, _ code: String, _ pointer: String) throws {
        let problem = try #require(throws: ApiProblem.self) { _ = try plan(body) }
        #expect(problem.code == code && problem.pointer == pointer, "\(problem)")
    }

    @Test func theNearestNamesAreTold() throws {
        let problem = try #require(throws: ApiProblem.self) {
            _ = try plan(#"{"metrics":["vistors"],"range":{"last":"7d"}}"#)
        }
        #expect(problem.allowed?.first == "visitors" && problem.allowed?.count == 3)
    }

    @Test func valuesStayValues() throws {
        let hostile = "'; DROP TABLE heliograph.event; --"
        let made = try plan(
            #"""
            {"metrics":["visitors","page_views"],"dimensions":["event.page"],"grain":"day",
            "range":{"last":"7d"},"filter":{"or":[
            {"field":"event.page","op":"contains","values":["\#(hostile)"]},
            {"not":{"field":"session.channel","op":"in","values":["\#(hostile)","b"]}}]}}
            """#
        )
        let query = try QueryReading(made, .events).query(made.range)
        #expect(!query.text.contains("DROP") && query.parameters.contains(hostile))
        #expect(query.parameters.contains("\(hostile)\nb"))
        let numbers = query.text.matches(of: /\$(\d+)/).compactMap { Int($0.output.1) }
        #expect(Set(numbers) == Set(1...query.parameters.count))
    }

    @Test func whatNobodyDidIsZeroAndWhatCannotBeDividedIsNothing() throws {
        let orders = try #require(QueryMetric.named["orders"])
        let value = try #require(QueryMetric.named["aov"])
        #expect(QueryTable.value(orders, [:]) == 0)
        #expect(QueryTable.value(value, ["revenue": 0, "orders": 0]) == nil)
        #expect(QueryTable.value(value, ["revenue": 9, "orders": 2]) == 4.5)
    }

    @Test(arguments: [
        (["2026-11-14", "2026-11-15", "2026-11-16"], #"{"last":"7d"}"#, "2026-11-16T23:00:00Z"),
        (["2026-11-15", "2026-11-16"], #"{"last":"7d"}"#, nil),
        (["2026-11-14", "2026-11-16"], #"{"last":"7d"}"#, "2026-11-14T23:00:00Z"),
        (
            ["2026-10-24", "2026-10-25", "2026-10-26"],
            #"{"from":"2026-10-24","to":"2026-10-26T12:00:00Z"}"#, "2026-10-25T23:00:00Z"
        ),
        (["2026-11-20", "2026-11-21"], #"{"last":"24h"}"#, nil),
    ])
    func daysAnswerAsFarAsTheyAreFilledInARow(
        _ fresh: [String],
        _ range: String,
        _ due: String?
    ) throws {
        let made = try plan(#"{"metrics":["visitors","aov"],"grain":"week","range":\#(range)}"#)
        let rollup = QueryRollup(made, made.range)
        let standing = QueryRollup.Standing(fresh.map { ["2026-10-01", $0] })
        #expect(rollup?.cut(standing) == due.flatMap(date))
        // Before the first day that there is anything of, nothing is missing.
        let later = QueryRollup.Standing(fresh.map { [fresh[0], $0] })
        let first = made.range.from < (date("\(fresh[0])T00:00:00Z") ?? .distantFuture)
        #expect(!first || rollup == nil || rollup?.cut(later) != nil)
    }

    @Test(arguments: [
        #"{"metrics":["visitors"],"dimensions":["event.page"],"range":{"last":"7d"}}"#,
        #"{"metrics":["visitors","rejected"],"range":{"last":"7d"}}"#,
        #"{"metrics":["visitors"],"grain":"hour","range":{"last":"7d"}}"#,
        #"""
        {"metrics":["visitors"],"range":{"last":"7d"},
        "filter":{"field":"event.type","op":"in","values":["pv"]}}
        """#,
    ])
    func whatDaysDoNotTellIsAskedOfTheRows(_ body: String) throws {
        let made = try plan(body)
        #expect(QueryRollup(made, made.range) == nil)
    }

    @Test func whoDidBothIsCountedByInclusionAndExclusion() {
        let sums: [String: Decimal] = [
            "reach:1": 10, "reach:2": 4, "reach:3": 11, "revenue:EUR": 7,
        ]
        #expect(RollupFormula.rate(1, 2).value(sums) == Decimal(string: "0.3"))
        #expect(RollupFormula.rate(1, 2).value([:]) == nil)
        #expect(RollupFormula.money("revenue").value(sums) == 7)
        #expect(RollupFormula.mean("a", "b").value(["a": 3]) == nil)
    }

    @Test func moneyIsInMinorUnitsOfItsCurrency() {
        let amount = Decimal(string: "61.205")
        #expect(QueryMoney.json(amount, "EUR") == 6_121)
        #expect(QueryMoney.json(amount, "JPY") == 61)
        #expect(QueryMoney.json(amount, "KWD") == 61_205)
        #expect(QueryMoney.json(amount, nil) == .null)
        let mixed = QueryMoney(site: "EUR", metrics: [], sums: [["EUR": [:]], ["USD": [:]]])
        #expect(mixed.currency == nil && mixed.warning != nil)
        #expect(QueryMoney(site: "EUR", metrics: [], sums: [[:]]).currency == "EUR")
    }

    @Test func whoAsksTheSameGetsTheSameAnswer() async throws {
        let flights = QueryFlights()
        let counter = Counter()
        let answers = try await withThrowingTaskGroup(of: JSONValue.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await flights.share(["a": 1]) {
                        try await Task.sleep(for: .milliseconds(200))
                        return .integer(await counter.next())
                    }
                }
            }
            return try await group.reduce(into: [JSONValue]()) { $0.append($1) }
        }
        #expect(answers.count == 8 && Set(answers.compactMap(\.whole)) == [1])
        let later = try await flights.share(["a": 1]) { .integer(await counter.next()) }
        #expect(later == 2)
    }

    private actor Counter {
        private var count: Int64 = 0

        func next() -> Int64 {
            count += 1
            return count
        }
    }
}
