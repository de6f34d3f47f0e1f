// Goal: the companion tells the sums over the partitions' fields and nothing else, however odd what it
// finds in Redis. Method: a running companion, a real Redis with fields written by hand.
import Foundation
import Settings
import Testing

@testable import Companion

@Suite(.serialized, .onOwnThread) struct LiveMinutesApiTests {
    private let now = Int64(Date().timeIntervalSince1970) / 60

    private func minutes(_ companion: RunningCompanion, _ query: String = "")
        throws -> (all: [[String: Any]], totals: [String: Any])
    {
        let answer = try companion.get("/api/v1/sites/demo/live/minutes\(query)")
        #expect(answer.status == 200)
        let document = try json(answer.body)
        #expect(document["site"] as? String == "demo" && document["as_of"] is Int)
        let all = try #require(document["minutes"] as? [[String: Any]])
        return (all, try #require(document["totals"] as? [String: Any]))
    }

    @Test func fieldsAreSummed() throws {
        let companion = try RunningCompanion()
        let key = "hg:demo:agg:\(now - 3)"
        try companion.redis.ask([
            [
                "HSET", key, "0",
                #"{"events":3,"page_views":2,"sessions":1,"visitors":1,"cold":1,"#
                    + #""channels":{"email":1},"pages":{"/":1,"/a\"b":1}}"#,
                "255",
                #"{"events":4,"page_views":3,"visitors":2,"warm":1,"hot":1,"conversions":1,"#
                    + #""value_thousandths":1500,"automated_events":7,"pages":{"/":2},"#
                    + #""other_page_views":1,"of a later version":[1]}"#,
            ],
            ["HSET", "hg:demo:agg:\(now - 4)", "9", #"{"events":5,"visitors":1}"#],
        ])
        let (all, totals) = try minutes(companion)
        #expect(all.count == 60)
        let minute = try #require(all.first { $0["minute"] as? Int64 == now - 3 })
        #expect(minute["events"] as? Int == 7 && minute["page_views"] as? Int == 5)
        #expect(minute["visitors"] as? Int == 3 && minute["sessions"] as? Int == 1)
        #expect(minute["bands"] as? [String: Int] == ["cold": 1, "warm": 1, "hot": 1])
        #expect(minute["automated_events"] as? Int == 7)
        #expect((minute["started_at"] as? String)?.hasSuffix(":00.000Z") == true)
        #expect(totals["events"] as? Int == 12 && totals["value_thousandths"] as? Int == 1500)
        #expect(totals["channels"] as? [String: Int] == ["email": 1])
        let pages = try #require(totals["pages"] as? [[String: Any]])
        #expect(pages.map { $0["path"] as? String } == ["/", #"/a"b"#])
        #expect(pages[0]["page_views"] as? Int == 3 && totals["other_page_views"] as? Int == 1)
        #expect(totals["visitors"] == nil)
    }

    @Test func minutesOfNobodyAreZerosAndTheOldestComesFirst() throws {
        let companion = try RunningCompanion()
        let (all, totals) = try minutes(companion, "?last=3")
        let numbers = all.compactMap { $0["minute"] as? Int64 }
        #expect(numbers.count == 3 && numbers == numbers.sorted())
        #expect(numbers.last == now || numbers.last == now + 1)
        #expect(all.allSatisfy { $0["events"] as? Int == 0 })
        #expect(totals["events"] as? Int == 0 && (totals["pages"] as? [Any])?.isEmpty == true)
    }

    @Test func whatIsNoFieldOfTheEngineAddsNothing() throws {
        let companion = try RunningCompanion()
        let key = "hg:demo:agg:\(now - 1)"
        let odd = [
            "", "7", "[]", "{", #"{"events":"1"}"#, #"{"events":1.5}"#, #"{"events":1}x"#,
            #"{"pages":[]}"#, #"{"pages":{"/":null}}"#,
        ]
        for (index, value) in odd.enumerated() {
            try companion.redis.ask([["HSET", key, "\(index)", value]])
        }
        try companion.redis.ask([["HSET", key, "99", #"{"events":2}"#]])
        try companion.redis.ask([["SET", "hg:demo:agg:\(now - 2)", "mine"]])
        let (all, _) = try minutes(companion)
        #expect(all.reduce(0) { $0 + ($1["events"] as? Int ?? 0) } == 2)
    }

    @Test(arguments: [
        ("/api/v1/sites/nope/live/minutes", 404, "not-found"),
        ("/api/v1/sites/demo/live/minutes?last=0", 400, "invalid-parameter"),
        ("/api/v1/sites/demo/live/minutes?last=181", 400, "invalid-parameter"),
        ("/api/v1/sites/demo/live/minutes?last=5&last=6", 400, "invalid-parameter"),
    ])
    func wrongQuestionsAreNamed(_ path: String, _ status: Int, _ code: String) throws {
        let companion = try RunningCompanion()
        let answer = try companion.get(path)
        #expect(answer.status == status)
        #expect(try json(answer.body)["code"] as? String == code)
    }
}
