import Foundation
import Testing

@testable import heliograph

/// A made-up past is a function of seed, days, visitors and end; it lies in its days, and its beacons are
/// numbered as a tab's are.
struct APastIsMadeTheSameAgainTests {
    private static let day: Int64 = 86_400_000
    private static let end: Int64 = 1_790_000_000_000

    private func beacons(seed: UInt64 = 5, end: Int64 = end) -> [DemoBeacon] {
        let mark = DemoMark(seed: seed, days: 12, visitors: 300, end: end)
        let history = DemoHistory(mark, key: "hg_demo")
        return history.plans.flatMap { history.beacons(of: $0) }
    }

    @Test func theSameSeedMakesTheSameBytes() {
        let (one, other) = (beacons(), beacons())
        #expect(one.map(\.body) == other.map(\.body))
        #expect(one.map(\.receivedAt) == other.map(\.receivedAt))
        #expect(one.map(\.body) != beacons(seed: 6).map(\.body))
    }

    @Test func itLiesInItsDays() {
        let times = beacons().map(\.receivedAt)
        #expect(times.allSatisfy { $0 < Self.end && $0 >= Self.end - 12 * Self.day })
        #expect(Set(times.map { $0 / Self.day }).count >= 12)
    }

    /// A run that was cut short finds what it was begun with.
    @Test func theMarkIsReadBack() throws {
        let folder = NSTemporaryDirectory() + "heliograph-mark-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var mark = DemoMark(seed: 1 << 63, days: 3, visitors: 50, end: Self.end)
        #expect(DemoMark.read(folder, "demo") == nil)
        for isWhole in [false, true] {
            mark.isWhole = isWhole
            try mark.write(folder, "demo")
            #expect(DemoMark.read(folder, "demo") == mark)
        }
    }

    private struct Body: Decodable {
        struct Event: Decodable {
            let n: Int
            let o: Int64
            let t: String
        }
        let w: String
        let q: Int
        let mt: Int64
        let c: Int
        let d: String?
        let e: [Event]
    }

    @Test func everyTabCountsFromOneWithoutGaps() throws {
        var last: [String: (batch: Int, event: Int)] = [:]
        for beacon in beacons() {
            let body = try JSONDecoder().decode(Body.self, from: Data(beacon.body.utf8))
            let before = last[body.w] ?? (0, 0)
            #expect(body.q == before.batch + 1)
            #expect(body.e.map(\.n) == Array(before.event + 1...before.event + body.e.count))
            #expect(body.e.allSatisfy { $0.o >= 0 && $0.o <= body.mt })
            #expect(beacon.firstEvent == DemoEventID(window: body.w, number: before.event + 1))
            #expect(beacon.events + beacon.refused == body.e.count)
            #expect((body.d != nil) == (body.c & 2 != 0))
            // Nobody's behaviour is told of who did not allow it to be looked at.
            if body.c & 4 == 0 { #expect(!body.e.contains { $0.t == "ps" }) }
            last[body.w] = (body.q, before.event + body.e.count)
        }
    }

    @Test func allKindsOfPeopleCome() {
        let people = (0..<3_000).map { DemoVisitor(number: $0, of: 3_000, seed: 1) }
        #expect(Set(people.map(\.manner.name)).count == DemoManner.all.count)
        #expect(Set(people.map(\.consent)) == [0, 1, 7, 15, 63])
        #expect(people.contains { $0.isBot } && people.contains { $0.isProspect })
        let persons = Dictionary(grouping: people.compactMap(\.user)) { $0 }.mapValues(\.count)
        #expect(Set(persons.values).isSubset(of: [1, 2]) && persons.values.contains(2))
        #expect(Set(people.map(\.device)).count == people.count)
    }
}
