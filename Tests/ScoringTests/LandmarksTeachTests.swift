// Goal: examples come from fixed landmarks and say truly whether a conversion followed; what nobody may
// learn from teaches nothing; the rule is used while there is little, and again when it foretells better.
// Method: sessions folded record by record, and the examples that the school took.

import Bytes
import Records
import Scoring
import Settings
import TestSupport
import Testing

/// A rehearsal with one partition, and everything that it took.
private final class Lessons {
    private var rehearsal: LearnRehearsal
    private var fold: PartitionFold
    private var offset: UInt64 = 0
    private let basket: Basket

    private final class Basket { var taken: [RehearsedExample] = [] }

    init(_ rules: LearningRules = .standard) {
        let basket = Basket()
        self.basket = basket
        var file = Scenes.file
        file.learning = rules
        let model = ScoringModel(file)
        fold = PartitionFold(model: model)
        fold.wantExamples(from: 0)
        rehearsal = LearnRehearsal(model) { basket.taken.append($0) }
    }

    func record(
        _ events: [TestEvent],
        visitor: String = "visitor-1",
        session: String = "session-1",
        consent: Consent = .all,
        flags: Slice.Flags = []
    ) {
        offset += 1
        let record = Scenes.record(
            events,
            visitor: visitor,
            session: session,
            consent: consent,
            flags: flags,
            offset: offset
        )
        record.withSlice { header, slice in
            // As if many others came in between: every record is a block of its own.
            var header = header
            header.sequence = offset * 1_024
            guard let effect = fold.apply(header, slice) else { return }
            rehearsal.take(header, effect, &fold)
        }
    }

    /// Page views, one a minute, and then perhaps a purchase.
    func visit(
        _ actions: Int,
        buys: Bool,
        at start: Int64 = Scenes.noon,
        visitor: String = "visitor-1",
        page: String = "catalog",
        consent: Consent = .all,
        flags: Slice.Flags = []
    ) {
        var at = start
        func tell(_ event: TestEvent) {
            record(
                [event],
                visitor: visitor,
                session: "s\(start)",
                consent: consent,
                flags: flags
            )
            at += 60_000
        }
        for _ in 0..<actions { tell(TestEvent(.pageView, at: at, #"{"u":"/\#(page)"}"#)) }
        if buys { tell(TestEvent(.custom, at: at, name: "purchase")) }
    }

    /// Lets days pass, and returns what was learned from.
    func end(days: Int64 = 3) -> [RehearsedExample] {
        let last = max(fold.example(openedAt: offset)?.at ?? 0, Scenes.noon)
        let known = basket.taken.map(\.example.at).max() ?? 0
        rehearsal.letTimePass(to: max(last, known) + days * 86_400_000, &fold)
        rehearsal.finish()
        return basket.taken
    }

    var site: LearnedSite? { rehearsal.book.sites.first?.value }
}

struct LandmarksTeachTests {
    @Test func everySessionIsAskedAtTheSameLandmarks() {
        let lessons = Lessons()
        lessons.visit(9, buys: true, visitor: "buyer")
        lessons.visit(9, buys: false, visitor: "looker")
        lessons.visit(2, buys: true, visitor: "quick")
        let taken = lessons.end()
        let buyer = taken.filter { $0.visitor.text == "buyer" }
        let looker = taken.filter { $0.visitor.text == "looker" }
        #expect(buyer.map(\.example.landmark).sorted() == [3, 5, 8])
        #expect(looker.map(\.example.landmark).sorted() == [3, 5, 8])
        #expect(Set(buyer.map(\.example.converted)) == [true])
        #expect(Set(looker.map(\.example.converted)) == [false])
        // Who bought before the first landmark was asked nothing.
        #expect(taken.count == 6)
    }

    @Test func afterItsConversionASessionIsNotAskedAgain() {
        let lessons = Lessons()
        lessons.visit(4, buys: true)
        for minute in 1...9 {
            let at = Scenes.noon + 300_000 + Int64(minute) * 60_000
            lessons.record(
                [TestEvent(.pageView, at: at, #"{"u":"/catalog"}"#)],
                session: "s\(Scenes.noon)"
            )
        }
        #expect(lessons.end().map(\.example.landmark) == [3])
    }

    @Test func aConversionBehindTheHorizonDoesNotCount() {
        let lessons = Lessons()
        lessons.visit(3, buys: false)
        lessons.visit(1, buys: true, at: Scenes.noon + 25 * 3_600_000)
        let late = lessons.end()
        #expect(late.map(\.example.converted) == [false])
        #expect(late.allSatisfy { $0.example.labelledAt - $0.example.at == 86_400_001 })
        let soon = Lessons()
        soon.visit(3, buys: false)
        soon.visit(1, buys: true, at: Scenes.noon + 20 * 3_600_000)
        #expect(soon.end().map(\.example.converted) == [true])
    }

    @Test func someTeachNothing() {
        let lessons = Lessons()
        lessons.visit(9, buys: true, visitor: "robot", flags: [.bot])
        lessons.visit(9, buys: true, visitor: "private", consent: [.measurement])
        lessons.visit(9, buys: false, visitor: "changed-mind")
        lessons.record(
            [TestEvent(.consent, at: Scenes.noon + 3_600_000, #"{"bits":1}"#)],
            visitor: "changed-mind",
            session: "s\(Scenes.noon)"
        )
        #expect(lessons.end().isEmpty)
    }

    @Test func theSameRecordsTeachTheSame() throws {
        func weights() throws -> [Double] {
            let lessons = Lessons()
            for number in 0..<40 {
                lessons.visit(
                    4 + number % 9,
                    buys: number % 3 == 0,
                    at: Scenes.noon + Int64(number) * 7_200_000,
                    visitor: "visitor-\(number % 11)"
                )
            }
            _ = lessons.end(days: 9)
            return try #require(lessons.site).posterior.mean
        }
        #expect(try weights() == weights())
    }

    @Test func theRuleIsUsedWhileThereIsLittleAndWhenItForetellsBetter() throws {
        var rules = LearningRules.standard
        (rules.examplesMinimum, rules.conversionsMinimum) = (60, 10)
        // Slow to learn again, so that a turn of things catches it.
        rules.mergeMilliseconds = 20 * 86_400_000
        let lessons = Lessons(rules)
        func verdict() -> LikelihoodSource? { lessons.site?.trust.verdict(rules) }
        var day: Int64 = 0
        // Who looks at the catalogue buys and who is at the checkout does not, against the rule; or with it.
        func live(days: Int64, againstTheRule: Bool) {
            for _ in 0..<days {
                for number in 0..<12 {
                    let isCatalogue = number % 2 == 0
                    lessons.visit(
                        5,
                        buys: isCatalogue == againstTheRule,
                        at: Scenes.noon + day * 86_400_000 + Int64(number) * 600_000,
                        visitor: "d\(day)-\(number)",
                        page: isCatalogue ? "catalog" : "checkout"
                    )
                }
                day += 1
            }
        }
        live(days: 3, againstTheRule: true)
        #expect(verdict() != .learned)
        live(days: 60, againstTheRule: true)
        #expect(verdict() == .learned)
        live(days: 40, againstTheRule: false)
        #expect(verdict() == .drifted)
        let losses = try #require(lessons.site).trust.losses
        #expect(losses.learned > losses.rule)
        #expect(lessons.end(days: 0).contains { $0.isLearnedUsed })
    }
}
