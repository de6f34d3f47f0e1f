import BenchLoad
import Foundation
import Testing

@Suite struct EveryBeaconIsOfTheWireFormat {
    private static let run = RunIdentity(seed: 7, startedAtEpochMilliseconds: 1_790_000_000_000)
    private static let now: Int64 = 1_790_000_001_234

    private func body(_ load: Load, _ recipe: Recipe, at now: Int64 = now) -> [UInt8] {
        let renderer = Renderer(run: Self.run, head: "", templates: load.templates)
        var buffer = [UInt8](repeating: 0, count: renderer.longestRequest)
        let length = buffer.withUnsafeMutableBufferPointer {
            $0.baseAddress.map { renderer.renderBody(recipe, now, to: $0) } ?? 0
        }
        return Array(buffer[..<length])
    }

    private func batches(_ load: Load, count: Int) -> [Recipe] {
        var population = Population(load: load, count: 6_000, watchedCount: 100, run: Self.run)
        return (0..<count).map { _ in population.nextRecipe(nowEpochMilliseconds: Self.now) }
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(parsed as? [String: Any])
    }

    @Test(arguments: ["plain", "real"])
    func everyBatchIsJSONWithEveryKey(name: String) throws {
        let load = try name == "plain" ? Load.plain() : Load.real()
        for recipe in batches(load, count: 400) {
            let batch = try object(body(load, recipe))
            for key in ["b", "w", "d", "s"] { #expect((batch[key] as? String)?.count == 22) }
            #expect(batch["v"] as? Int == 1)
            #expect(batch["k"] as? String == "hg_demo")
            #expect(batch["c"] as? Int == 7)
            #expect(batch["st"] as? Int64 == Self.now)
            #expect(batch["q"] as? Int == Int(recipe.number))
            let events = try #require(batch["e"] as? [[String: Any]])
            #expect(events.count == Int(recipe.eventCount))
        }
    }

    @Test func plainBatchesHoldTenEventsAndReachTheStatedSize() throws {
        let load = try Load.plain()
        for recipe in batches(load, count: 200) {
            #expect(recipe.eventCount == 10)
            #expect((1_000...1_500).contains(body(load, recipe).count))
        }
    }

    @Test func realBatchesHoldOneToFourEventsAndStayInTheStatedSizes() throws {
        let load = try Load.real()
        let recipes = batches(load, count: 800)
        #expect(Set(recipes.map(\.eventCount)) == [1, 2, 3, 4])
        let sizes = recipes.map { body(load, $0).count }
        #expect(sizes.allSatisfy { (350...1_500).contains($0) })
    }

    @Test func eventTimesNeverRunAheadOfThePage() throws {
        let load = try Load.real()
        for recipe in batches(load, count: 400) {
            let batch = try object(body(load, recipe))
            let clock = try #require(batch["mt"] as? Int)
            for event in try #require(batch["e"] as? [[String: Any]]) {
                #expect(try #require(event["o"] as? Int) <= clock)
            }
        }
    }

    @Test func aRepeatDiffersInTheTwoStampsOnly() throws {
        let load = try Load.real()
        for recipe in batches(load, count: 50) {
            var first = try object(body(load, recipe))
            var again = try object(body(load, recipe, at: Self.now + 2_500))
            let waited = try #require(again["st"] as? Int) - (try #require(first["st"] as? Int))
            #expect(waited == 2_500)
            #expect(
                try #require(again["mt"] as? Int) - (try #require(first["mt"] as? Int)) == 2_500
            )
            for key in ["st", "mt"] {
                first[key] = nil
                again[key] = nil
            }
            #expect(NSDictionary(dictionary: first) == NSDictionary(dictionary: again))
        }
    }

    @Test func theHeadStatesTheLengthOfTheBody() throws {
        let load = try Load.plain()
        let renderer = Renderer(
            run: Self.run,
            head: "POST / HTTP/1.1\r\nContent-Length: ",
            templates: load.templates
        )
        let recipe = try #require(batches(load, count: 1).first)
        var buffer = [UInt8](repeating: 0, count: renderer.longestRequest)
        let length = buffer.withUnsafeMutableBufferPointer {
            $0.baseAddress.map {
                renderer.render(recipe, nowEpochMilliseconds: Self.now, to: $0)
            } ?? 0
        }
        let text = String(decoding: buffer[..<length], as: UTF8.self)
        let parts = text.components(separatedBy: "\r\n\r\n")
        try #require(parts.count == 2)
        #expect(parts[0].hasSuffix("Content-Length: \(parts[1].utf8.count)"))
    }
}
