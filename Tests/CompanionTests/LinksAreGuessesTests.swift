// Goal: a likely link is right nearly always, the same from both sides, bounded, and never says more
// than it may: not of those whom somebody parted, not of a crowd, never sure.
// Method: simulated households with known persons, from printed seeds; single traits added and taken
// away. What rows say of a browser, and consent, is shown with a real PostgreSQL in
// Tests/Process/identity_test.py.
import Foundation
import Settings
import TestSupport
import Testing

@testable import Companion

@Suite struct LinksAreGuessesTests {
    private static let day: Int64 = 86_400_000
    private static let hour: Int64 = 3_600_000
    private static let minute: Int64 = 60_000

    /// Two browsers of which one is taken up thrice where the other was put down, alone on a network.
    private static func pair() -> (LinkTraits, LinkTraits) {
        func traits(_ name: String, after minutes: Int64) -> LinkTraits {
            var traits = LinkTraits(visitor: name)
            traits.networks = ["192.0.2.0"]
            traits.visits = (0..<3).map { number in
                let begun = Int64(number) * day + 20 * hour + minutes * minute
                return .init(begun: begun, ended: begun + 5 * minute)
            }
            traits.language = "de-DE"
            return traits
        }
        return (traits("phone", after: 0), traits("desktop", after: 8))
    }

    private static let alone = ["192.0.2.0": 2]

    private func confidence(
        _ change: (inout LinkTraits, inout LinkTraits) -> Void,
        crowds: [String: Int] = alone
    ) -> Double {
        var (phone, desktop) = Self.pair()
        change(&phone, &desktop)
        return LinkJudge.judge(phone, desktop, crowds)?.confidence ?? 0
    }

    @Test func whatSpeaksForItRaisesItAndWhatSpeaksAgainstItLowersIt() {
        let usual = confidence { _, _ in }
        #expect(usual >= Limits.linkConfidenceMinimum && usual < 0.99)
        #expect(confidence { ($0.orders, $1.orders) = (["buy 7"], ["buy 7"]) } > usual)
        #expect(confidence { ($0.clicks, $1.clicks) = (["gclid=1"], ["gclid=1"]) } > usual)
        #expect(confidence { ($0.orders, $1.orders) = (["buy 7"], ["buy 8"]) } == usual)
        #expect(confidence { ($0.language, $1.language) = ("fr-FR", "de-DE") } < usual)
        #expect(confidence { ($0.zone, $1.zone) = ("Asia/Tokyo", "Europe/Paris") } < usual)
        #expect(confidence { ($0.identity, $1.identity) = ("a", "b") } < 0.9)
        #expect(confidence { $1.visits = $0.visits } < 0.9)
        #expect(confidence { $1.networks = [] } < usual)
    }

    @Test func aCrowdSaysLittleAndALargeOneNothing() {
        let sure = [2, 6, 24].map { crowd in confidence({ _, _ in }, crowds: ["192.0.2.0": crowd]) }
        #expect(sure == sure.sorted(by: >) && Set(sure).count == 3)
        let without = confidence({ _, _ in }, crowds: [:])
        for crowd in [1, Limits.linkCrowdMaximum + 1, 1_000_000] {
            #expect(confidence({ _, _ in }, crowds: ["192.0.2.0": crowd]) == without)
        }
    }

    @Test func whatSomebodyDecidedIsNotGuessed() {
        let (phone, desktop) = Self.pair()
        #expect(LinkJudge.judge(phone, phone, Self.alone) == nil)
        for decided in [("identity", "identity"), ("identity", "parted"), ("parted", "parted")] {
            var (one, other) = (phone, desktop)
            if decided.0 == "identity" { one.identity = "ann" } else { one.parted = "ann" }
            if decided.1 == "identity" { other.identity = "ann" } else { other.parted = "ann" }
            #expect(LinkJudge.judge(one, other, Self.alone) == nil)
            #expect(LinkJudge.judge(other, one, Self.alone) == nil)
        }
    }

    @Test func nothingIsSureAndFewAreShown() {
        var (phone, desktop) = Self.pair()
        (phone.orders, phone.clicks) = (["purchase 7"], ["gclid=12345678"])
        (desktop.orders, desktop.clicks) = (phone.orders, phone.clicks)
        let others = (0..<40).map { number in
            var other = desktop
            other.visitor = "other-\(number)"
            return other
        }
        let links = LinkJudge.links(of: phone, to: others, crowds: Self.alone)
        #expect(links.count == Limits.linksMaximum)
        #expect(links.allSatisfy { $0.confidence == Limits.linkConfidenceMaximum })
        #expect(LinkJudge.links(of: phone, to: others.reversed(), crowds: Self.alone) == links)
        let (weights, shown) = (links[0].reasons.map { abs($0.adds) }, links[0].reasons)
        #expect(weights == weights.sorted(by: >) && shown.first?.reason == .order)
    }

    @Test func noReasonNamesAPlaceOrAPerson() throws {
        var (phone, desktop) = Self.pair()
        (phone.orders, phone.clicks) = (["purchase secret-7"], ["gclid=secret-12"])
        (phone.identity, phone.zone, phone.machine) = ("secret-ann", "Secret/Zone", "secret phone")
        (desktop.orders, desktop.clicks) = (phone.orders, phone.clicks)
        (desktop.zone, desktop.machine) = (phone.zone, phone.machine)
        let link = try #require(LinkJudge.judge(phone, desktop, Self.alone))
        let said = String(decoding: try JSONEncoder().encode(link), as: UTF8.self).lowercased()
        #expect(!said.contains("secret") && !said.contains("192.0.2") && !said.contains("de-de"))
    }

    @Test func rowsThatAreDamagedOrMissingSayNothing() throws {
        let (phone, desktop) = Self.pair()
        func row(_ traits: LinkTraits, _ crowds: String = "{}") throws -> ArchiveRow {
            [String(decoding: try JSONEncoder().encode(traits), as: UTF8.self), crowds]
        }
        let own = try row(phone, "{\"192.0.2.0\": 2}")
        #expect(LinkReader.links([own, try row(desktop)]).map(\.visitor) == ["desktop"])
        #expect(LinkReader.links([own, ["{", "{}"], [nil, nil]]).isEmpty)
        #expect(LinkReader.links([]).isEmpty && LinkReader.links([[nil, nil]]).isEmpty)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func ofLinksInSimulatedHouseholdsNineInTenAreRight(seed: UInt64) {
        var town = Town(seed: seed)
        town.settle(households: 150)
        let found = town.links()
        let right = found.count { town.persons[$0.0] == town.persons[$0.1] }
        let count = town.browsers.count
        print("links: seed \(seed), \(count) browsers, \(found.count) links, \(right) right")
        #expect(found.count >= 25, "seed \(seed)")
        #expect(Double(right) >= 0.9 * Double(found.count), "seed \(seed)")
        for (one, other, confidence) in found {
            let back = LinkJudge.judge(town.browsers[other], town.browsers[one], town.crowds)
            #expect(back?.confidence == confidence, "seed \(seed)")
        }
    }

    /// Households whose people have habits, on networks that they share with few or with many.
    private struct Town {
        private(set) var browsers: [LinkTraits] = []
        /// The person of each browser.
        private(set) var persons: [Int] = []
        private(set) var crowds: [String: Int] = [:]
        private var dice: Dice

        init(seed: UInt64) { dice = Dice(seed: seed) }

        mutating func settle(households: Int) {
            for number in 0..<households {
                let sharing = [1, 1, 2, 4, 12][dice.roll(0...4)]
                let home = "home-\(number / sharing)-\(sharing)"
                for _ in 0..<[1, 1, 2, 2, 3, 4][dice.roll(0...5)] { moveIn(home) }
            }
            for network in browsers.flatMap(\.networks) { crowds[network, default: 0] += 1 }
        }

        /// One person with one to three browsers, who now and then goes on with another.
        private mutating func moveIn(_ home: String) {
            let (person, count) = ((persons.last ?? 0) + 1, [1, 1, 2, 2, 3][dice.roll(0...4)])
            let work = dice.chance(0.5) ? "work-\(dice.roll(0...39))" : home
            let language = ["de-DE", "de-DE", "de-DE", "tr-TR"][dice.roll(0...3)]
            let habit = 19 + 3 * dice.normal()
            var own = (0..<count).map { LinkTraits(visitor: "\(person)-\($0)", language: language) }
            for _ in 0..<dice.roll(3...25) {
                let time = Double(dice.roll(1...30) * 24) + habit + 2 * dice.normal()
                let (index, begun) = (dice.roll(0...count - 1), Int64(time * Double(hour)))
                let ended = visit(&own[index], begun, dice.chance(0.8) ? home : work)
                guard count > 1, dice.chance(0.15) else { continue }
                let pause = Int64(dice.roll(0...8)) * minute
                _ = visit(&own[(index + 1) % count], ended + pause, home)
            }
            for traits in own where !traits.visits.isEmpty {
                browsers.append(traits)
                persons.append(person)
            }
        }

        private mutating func visit(_ browser: inout LinkTraits, _ begun: Int64, _ network: String)
            -> Int64
        {
            let ended = begun + Int64(dice.roll(1...14)) * minute
            browser.visits.append(.init(begun: begun, ended: ended))
            if !browser.networks.contains(network) { browser.networks.append(network) }
            return ended
        }

        /// Each pair once that is shown on either side.
        func links() -> [(Int, Int, Double)] {
            var found: [(Int, Int, Double)] = []
            for (one, met) in meetings() {
                for other in met where one < other {
                    guard let link = LinkJudge.judge(browsers[one], browsers[other], crowds),
                        link.confidence >= Limits.linkConfidenceMinimum
                    else { continue }
                    found.append((one, other, link.confidence))
                }
            }
            return found
        }

        /// The browsers that each was on a network with, if few enough were there.
        private func meetings() -> [Int: Set<Int>] {
            var present: [String: [Int]] = [:]
            for (index, browser) in browsers.enumerated() {
                for network in browser.networks { present[network, default: []].append(index) }
            }
            var met: [Int: Set<Int>] = [:]
            for there in present.values where there.count <= Limits.linkCrowdMaximum {
                for one in there { met[one, default: []].formUnion(there) }
            }
            return met
        }
    }
}
