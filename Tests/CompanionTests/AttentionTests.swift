import Foundation
import TestSupport
import Testing

@testable import Companion

/// Rules speak beyond their limits and not before; what was put away stays away as was promised.
@Suite struct AttentionTests {
    private let now: Int64 = 1_800_000_000_000

    private func ids(_ facts: AttentionFacts) -> [String] {
        AttentionRule.cards(facts).map(\.id)
    }

    private func facts(_ change: (inout AttentionFacts) -> Void) -> AttentionFacts {
        var facts = AttentionFacts(now: now)
        change(&facts)
        return facts
    }

    @Test func nothingToSayIsNoCard() {
        #expect(ids(AttentionFacts(now: now)).isEmpty)
        let calm = facts { facts in
            for ago in 0..<168 { facts.hours[ago] = .init(accepted: 100, refused: 1) }
            facts.lastReceived = now - 10_000
            facts.storedUpTo = now
            facts.destinations = [.init(name: "meta", settled: 1_000)]
            facts.thisWeek = .init(sessions: 500, converting: 50)
            facts.weekBefore = .init(sessions: 500, converting: 55)
        }
        #expect(ids(calm).isEmpty)
    }

    @Test(arguments: [
        ("stopped", true), ("failing", true), ("open", false), ("paused", false),
    ]) func aDestinationIsDownByItsState(state: String, isDown: Bool) {
        let facts = facts { $0.destinations = [.init(name: "meta", state: state)] }
        #expect(ids(facts) == (isDown ? ["destination-down:meta"] : []))
    }

    @Test(arguments: [
        (5, 1_000, false), (6, 1_000, true), (0, 0, false), (1, 1, true),
    ]) func deadLettersCountByShare(dead: Int64, settled: Int64, isTold: Bool) {
        let facts = facts { $0.destinations = [.init(name: "x", dead: dead, settled: settled)] }
        #expect(ids(facts) == (isTold ? ["deliveries-dead:x"] : []))
    }

    @Test(arguments: [(600, false), (601, true)])
    func whatWaitsForTenMinutesIsLate(seconds: Int64, isTold: Bool) {
        let facts = facts {
            $0.destinations = [.init(name: "x", waiting: 3, oldestSeconds: seconds)]
        }
        #expect(ids(facts) == (isTold ? ["deliveries-late:x"] : []))
    }

    @Test(arguments: [
        // Four are too few; 1 % is allowed; three times the usual 2 % is.
        (4, 0, 0, false), (5, 495, 0, false), (6, 494, 0, true), (6, 94, 2, false),
        (7, 93, 2, true),
    ]) func refusalsCountAgainstTheWeek(refused: Int64, taken: Int64, usual: Int64, isTold: Bool) {
        let facts = facts { facts in
            facts.hours[0] = .init(accepted: taken, refused: refused)
            for ago in 1..<168 { facts.hours[ago] = .init(accepted: 100 - usual, refused: usual) }
            facts.lastReceived = now
        }
        #expect(ids(facts) == (isTold ? ["refusals-up"] : []))
    }

    @Test(arguments: [
        // Sixty an hour come a minute apart: five minutes are the least.
        (60, 300, false), (60, 301, true), (6, 1_800, false), (6, 1_801, true), (3, 90_000, false),
    ]) func silenceIsMeasuredByTheHour(hourly: Int64, seconds: Int64, isTold: Bool) {
        let facts = facts { facts in
            for day in 1..<7 { facts.hours[day * 24] = .init(accepted: hourly) }
            facts.lastReceived = now - seconds * 1_000
        }
        #expect(ids(facts) == (isTold ? ["silence"] : []))
        let late = self.facts { facts in
            for day in 1..<7 { facts.hours[day * 24] = .init(accepted: hourly) }
            facts.lastReceived = now - seconds * 1_000
            facts.storedUpTo = now - seconds * 1_000
        }
        #expect(!ids(late).contains("silence"), "what is not stored yet is not missing")
    }

    @Test(arguments: [
        (500, 50, 500, 36, false), (500, 50, 500, 25, true), (49, 20, 500, 1, false),
        (60, 6, 60, 4, false),
    ]) func aDropMustBeLargeAndNoChance(
        before: Int64,
        converted: Int64,
        now sessions: Int64,
        converting: Int64,
        isTold: Bool
    ) throws {
        let facts = facts {
            $0.weekBefore = .init(sessions: before, converting: converted)
            $0.thisWeek = .init(sessions: sessions, converting: converting)
        }
        #expect(ids(facts) == (isTold ? ["conversions-down"] : []))
        for card in AttentionRule.cards(facts) { #expect((0.99...1).contains(card.confidence)) }
    }

    @Test func idsAreMissedWhereThePlatformHasThem() {
        let told = facts { $0.destinations = [.init(name: "m", identified: (100, 79))] }
        #expect(ids(told) == ["browser-ids-missing:m"])
        let enough = facts { $0.destinations = [.init(name: "m", identified: (100, 80))] }
        #expect(ids(enough).isEmpty)
        let few = facts { $0.destinations = [.init(name: "m", identified: (49, 0))] }
        #expect(ids(few).isEmpty)
    }

    @Test func impactCountsWithinUrgency() {
        let facts = facts {
            $0.destinations = [
                .init(name: "a", state: "failing", waiting: 1),
                .init(name: "b", state: "failing", waiting: 10_000),
                .init(name: "c", waiting: 1_000_000, oldestSeconds: 700),
            ]
            $0.hotVisitors = 40
        }
        let shown = AttentionPutOff.shown(AttentionRule.cards(facts), [:], now: now).map(\.id)
        #expect(
            shown == [
                "destination-down:b", "destination-down:a", "deliveries-late:c", "hot-now",
            ]
        )
    }

    @Test func moreOfThoseConcernedNeverWeighsLess() throws {
        var dice = Dice(seed: 8)
        let card = try #require(AttentionRule.cards(facts { $0.hotVisitors = 1 }).first)
        for _ in 0..<1_000 {
            let (few, more) = (Int64(dice.next() % 1_000_000), Int64(dice.next() % 1_000))
            let weights = [few, few + more].map { affected in
                AttentionCard(
                    id: card.id,
                    rule: card.rule,
                    severity: card.severity,
                    title: "",
                    why: "",
                    value: 0,
                    usual: nil,
                    affected: affected,
                    link: card.link
                ).weight(now: now)
            }
            #expect(weights[0] <= weights[1], "\(few) and \(few + more)")
        }
    }

    @Test func putAwayHoldsAsLongAsPromised() throws {
        let cards = AttentionRule.cards(facts { $0.hotVisitors = 4 })
        func shown(_ one: AttentionPutOff) -> [AttentionCard] {
            AttentionPutOff.shown(cards, ["hot-now": one], now: now)
        }
        let snoozed = AttentionPutOff(state: "snoozed", until: now + 1, affected: 4)
        #expect(shown(snoozed).isEmpty)
        let over = shown(AttentionPutOff(state: "done", until: now, affected: 4))
        #expect(over.map(\.earlier) == ["done"])
        #expect(shown(AttentionPutOff(state: "dismissed", until: nil, affected: 3)).isEmpty)
        #expect(shown(AttentionPutOff(state: "dismissed", until: nil, affected: 2)).count == 1)
    }
}
