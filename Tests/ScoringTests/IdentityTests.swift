// Goal: a person is what folding all its browsers' records together would give, parting restores what
// was before, and who is part of whom is a matter of consent and of the journal's order alone.
// Method: random records dealt out to browsers; orders and consent bits one by one; readings compared.

import Bytes
import Records
import TestSupport
import Testing
import Units

@testable import Scoring

struct IdentityTests {
    private let model = Scenes.model
    private let view = TestEvent(.pageView, at: Scenes.noon, #"{"u":"https://a.example/pricing"}"#)
    private let summary = TestEvent(
        .pageSummary,
        at: Scenes.noon + 5000,
        #"{"vz":[5000,5000,5000,0,0,0,0,5000],"S":[[0,"faq",1,10000,90,9,0,0]]}"#
    )

    private func login(
        _ user: String = "h1:ann",
        visitor: String = "visitor-1",
        consent: Consent = .all,
        flags: Slice.Flags = [],
        also: [TestEvent] = [],
        offset: UInt64 = 1
    ) -> PackedRecord {
        var record = TestRecord()
        let identify = TestEvent(.identify, at: Scenes.noon + 6000, #"{"uid":"h1:ann"}"#)
        record.events = [view, summary, identify] + also
        (record.visitor, record.user) = (visitor, user)
        (record.consent, record.flags) = (consent, flags)
        (record.receivedAt, record.offset) = (Scenes.noon + 7000, offset)
        return record.packed()
    }

    private func identity(_ records: [PackedRecord], _ visitor: String = "visitor-1") -> String? {
        let fold = Scenes.fold(records)
        guard let index = Scenes.index(fold, visitor) else { return nil }
        return fold.identity(of: index).map { "\($0.low) \($0.high)" }
    }

    @Test func theSameUserOfASiteIsOnePerson() {
        let ann = identity([login()])
        #expect(ann != nil)
        #expect(ann == identity([login(visitor: "visitor-2")], "visitor-2"))
        #expect(ann != identity([login("h1:bob")]))
    }

    @Test func theLastIdentifyHolds() {
        let bob = identity([login("h1:bob")])
        #expect(identity([login(), login("h1:bob", offset: 2)]) == bob)
        #expect(identity([login("h1:bob"), login(offset: 2)]) == identity([login()]))
    }

    /// Every set of the six bits.
    @Test(arguments: UInt8(0)..<64) func consentDecides(bits: UInt8) {
        let isJoined = identity([login(consent: Consent(rawValue: bits))]) != nil
        #expect(isJoined == (bits & 15 == 15))
    }

    @Test func whoIsNobodyTomorrowOrNoPersonIsNotJoined() {
        #expect(identity([login(flags: .withoutDevice)]) == nil)
        #expect(identity([login(flags: .bot)]) == nil)
        #expect(identity([login("")]) == nil)
        #expect(identity([Scenes.record([view, summary])]) == nil)
    }

    @Test func withdrawalParts() throws {
        let choice = TestEvent(.consent, at: Scenes.noon + 9000, #"{"bits":7}"#)
        #expect(identity([login(), Scenes.record([choice], offset: 2)]) == nil)
        #expect(identity([login(also: [choice])]) == nil)
        let optOut = Scenes.record(
            [view],
            consent: [.measurement, .storage],
            flags: .optedOut,
            offset: 2
        )
        #expect(identity([login(), optOut]) == nil)
        var fold = Scenes.fold([login()])
        let none = Scenes.record([choice], consent: [], offset: 2)
        let effect = try #require(Scenes.apply(none, to: &fold))
        #expect(effect.link.cause == .withdrawn && effect.session.visitor.text == "visitor-1")
    }

    @Test func everyChangeIsToldOnce() throws {
        var fold = PartitionFold(model: model)
        let first = try #require(Scenes.apply(login(), to: &fold))
        #expect(first.link.cause == .identified && first.link.isJoined)
        #expect(try #require(Scenes.apply(login(offset: 2), to: &fold)).link.cause == .none)
        let other = try #require(Scenes.apply(login("h1:bob", offset: 3), to: &fold))
        #expect(other.link.cause == .identified)
        #expect(other.link.identityLow != first.link.identityLow)
    }

    // MARK: - Parting

    private func order(_ order: Erasure.Order, to fold: inout PartitionFold) -> FoldEffect? {
        let (site, visitor) = (Array("demo".utf8), Array("visitor-1".utf8))
        return site.withUnsafeBytes { site in
            visitor.withUnsafeBytes { visitor in
                let order = Erasure(site: ByteView(site), visitor: ByteView(visitor), order: order)
                var payload = ByteBuffer(capacity: 64, limit: 256)
                order.write(to: &payload)
                var header = RecordHeader(
                    kind: .parting,
                    partition: Partition(visitor: order.visitor),
                    receivedAt: Scenes.noon + 8000,
                    payload: payload.view
                )
                header.offset = fold.offset + 1
                guard let read = Erasure(payload.view) else { return nil }
                return fold.part(header, read)
            }
        }
    }

    @Test func whoWasPartedStaysApartUntilJoinedAgainOrSomebodyElse() {
        var fold = Scenes.fold([login()])
        let person = fold.identity(of: 0)
        #expect(order(.part, to: &fold)?.link.cause == .parted)
        #expect(fold.identity(of: 0) == nil)
        #expect(order(.part, to: &fold)?.link.cause == nil)
        _ = Scenes.apply(login(offset: 9), to: &fold)
        #expect(fold.identity(of: 0) == nil)
        #expect(order(.rejoin, to: &fold)?.link.cause == .rejoined)
        #expect(fold.identity(of: 0) == person)
        _ = order(.part, to: &fold)
        _ = Scenes.apply(login("h1:bob", offset: 12), to: &fold)
        #expect(fold.identity(of: 0) != nil && fold.identity(of: 0) != person)
    }

    @Test func partingRestoresTheReadingToTheLastBit() throws {
        var fold = Scenes.fold([login(), login(visitor: "visitor-2", offset: 2)])
        let before = fold.reading(of: 0)
        let members = [fold.memberCopy(of: 0), fold.memberCopy(of: 1)]
        let person = try #require(MemberCopy.merged(members, model))
        #expect(members[0].reading(as: person, model).score != before.score)
        _ = order(.part, to: &fold)
        let after = fold.reading(of: 0)
        #expect(before.score == after.score && before.band == after.band)
        #expect(before.confidence == after.confidence && before.profile == after.profile)
        #expect(before.updatedAt == after.updatedAt)
    }

    @Test func linksOutliveACheckpointAndColdness() throws {
        for orders in [[], [Erasure.Order.part]] {
            var fold = Scenes.fold([login()])
            for one in orders { _ = order(one, to: &fold) }
            let read = try Scenes.deserialized(Scenes.serialized(fold))
            let (mine, theirs) = (fold.identity(of: 0), read.identity(of: 0))
            #expect(mine == theirs && (mine == nil) == !orders.isEmpty)
            let (linked, known) = (read.hasLinks, read.wasLinked(0))
            #expect(linked && known)
            var cold: ColdState?
            _ = fold.leavers(1, isHeld: { _ in false }) { _, _, _, bytes in
                cold = ColdState(bytes)
            }
            #expect(cold?.identity == mine && cold?.wasLinked == true)
        }
    }

    // MARK: - Merging

    /// What records do beyond their sums depends on order and sessions: README, what depends on order.
    @Test func aPersonIsAllItsBrowsersFoldedInOne() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var dice = Dice(seed: seed)
        let ordered: [Sum] = [
            .returnCadence, .decisionFatigue, .decisionFatigueWeight, .sessionDepth,
        ]
        var (compared, worst) = (0, 0.0)
        for _ in 0..<500 {
            var source = RandomRecords(seed: dice.next())
            source.visitors = 1
            let records = source.records(dice.roll(3...9), orderFree: true)
            var hands = [[PackedRecord]](repeating: [], count: 3)
            for record in records { hands[dice.roll(0...2)].append(record) }
            var members: [MemberCopy] = []
            for hand in hands {
                let fold = Scenes.fold(hand)
                if let index = Scenes.index(fold) { members.append(fold.memberCopy(of: index)) }
            }
            let whole = Scenes.state(Scenes.fold(records))
            var merged = try #require(MemberCopy.merged(members, model))
            #expect(merged.updatedAt == whole.updatedAt && merged.pageViews == whole.pageViews)
            var one = whole
            for sum in ordered {
                (merged.signals.sums[sum.index], one.signals.sums[sum.index]) = (0, 0)
            }
            let time = whole.updatedAt
            let scores = [merged, one].map { $0.reading(at: time, model).score }
            worst = max(worst, abs(scores[0] - scores[1]))
            compared += 1
        }
        #expect(compared == 500 && worst <= 1e-9, "seed \(seed): apart by \(worst)")
    }

    @Test func theOrderOfMembersDoesNotMatterToTheLastBit() throws {
        var dice = Dice(seed: 5)
        for _ in 0..<200 {
            var source = RandomRecords(seed: dice.next())
            let fold = Scenes.fold(source.records(12, orderFree: false))
            var members: [MemberCopy] = []
            for index in 0..<fold.indexEnd { members.append(fold.memberCopy(of: index)) }
            guard members.count > 1 else { continue }
            var readings: [Reading] = []
            for _ in 0..<4 {
                let shuffled = members.shuffled(using: &dice)
                let person = try #require(MemberCopy.merged(shuffled, model))
                readings.append(members[0].reading(as: person, model))
            }
            for other in readings.dropFirst() {
                #expect(other.score == readings[0].score && other.band == readings[0].band)
                #expect(other.confidence == readings[0].confidence)
            }
        }
    }
}
