// Goal: what is read of a person depends on its browsers' copies alone: not on their order, on how often
// they were laid down, or on who was told first; and neither copies nor notices grow without bounds.
// Method: copies of visitors that were folded for real, laid down by hand; notices counted.

import Bytes
import Foundation
import Records
import Scoring
import Settings
import TestSupport
import Testing
import Units

@testable import heliograph

struct PersonsComeTogetherTests {
    private static let model: ScoringModel = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        guard let file = try? ScoringFile.load(path: root.path + "/config/scoring.yaml") else {
            preconditionFailure("config/scoring.yaml cannot be read")
        }
        return ScoringModel(file)
    }()

    private let person = Hash128(low: 1, high: 2)
    private let noon: Int64 = 1_790_000_000_000

    /// A visitor after so many views of a page.
    private func copy(_ number: Int, views: Int = 1, at offset: UInt64 = 1) throws -> MemberCopy {
        var fold = PartitionFold(model: Self.model)
        var record = TestRecord()
        record.visitor = "visitor-\(number)"
        record.events = (0..<views).map { view in
            TestEvent(
                .pageView,
                at: noon + Int64(number * 1000 + view),
                #"{"u":"https://a.example/pricing"}"#
            )
        }
        (record.receivedAt, record.offset) = (noon + 100_000 + Int64(number), offset)
        let effect = record.packed().withSlice { header, slice in fold.apply(header, slice) }
        return fold.memberCopy(of: try #require(effect).visitorIndex)
    }

    private func score(_ desk: IdentityDesk, _ copy: MemberCopy) -> Double? {
        desk.member(copy.visitor, of: person, Self.model).map {
            $0.copy.reading(as: $0.person, Self.model).score
        }
    }

    private func notices(_ desk: IdentityDesk, workers: Int = 1) -> Set<String> {
        let all = (0..<workers).flatMap { desk.takeNotices($0) }
        return Set(all.map(\.visitor.text))
    }

    private func desk(copies: Int = .max) -> IdentityDesk {
        let desk = IdentityDesk(workers: 1, copiesMaximum: copies)
        desk.arrive()
        return desk
    }

    @Test func allBrowsersSayTheSameInWhateverOrderTheyCame() throws {
        let copies = try (1...4).map { try copy($0, views: $0) }
        var said: Set<Double?> = []
        for order in [copies, copies.reversed(), [copies[2], copies[0], copies[3], copies[1]]] {
            let desk = desk()
            for copy in order { desk.put(copy, of: person) }
            for copy in order { desk.put(copy, of: person) }
            for copy in copies { said.insert(score(desk, copy)) }
        }
        #expect(said.count == 1 && said.first != .some(nil))
    }

    @Test func whoLeavesIsReadAsBeforeAndSoAreTheOthers() throws {
        let desk = desk()
        let copies = try (1...3).map { try copy($0, views: $0) }
        desk.put(copies[0], of: person)
        desk.put(copies[1], of: person)
        let before = score(desk, copies[0])
        desk.put(copies[2], of: person)
        #expect(score(desk, copies[0]) != before)
        desk.remove(copies[2].visitor, from: person)
        #expect(score(desk, copies[0]) == before)
        #expect(score(desk, copies[2]) == nil && desk.copies == 2)
        desk.remove(copies[0].visitor, from: person)
        let left = desk.member(copies[1].visitor, of: person, Self.model)
        #expect(left?.isAlone == true)
    }

    @Test func theOthersAreToldOnceAndNotOfWhatIsKnown() throws {
        let desk = desk()
        let copies = try (1...3).map { try copy($0) }
        for copy in copies { desk.put(copy, of: person) }
        _ = notices(desk)
        desk.put(copies[0], of: person)
        #expect(notices(desk).isEmpty)
        for offset in 2...9 { desk.put(try copy(1, views: offset, at: UInt64(offset)), of: person) }
        #expect(notices(desk) == ["visitor-2", "visitor-3"])
        desk.remove(copies[0].visitor, from: person)
        #expect(notices(desk) == ["visitor-2", "visitor-3"])
    }

    @Test func nobodyIsToldBeforeAllWorkersHaveArrived() throws {
        let desk = IdentityDesk(workers: 2)
        desk.arrive()
        for number in 1...3 { desk.put(try copy(number), of: person) }
        #expect(!desk.isComplete && notices(desk, workers: 2).isEmpty)
        desk.arrive()
        desk.put(try copy(1, views: 2, at: 2), of: person)
        #expect(desk.isComplete && notices(desk, workers: 2) == ["visitor-2", "visitor-3"])
    }

    @Test func anIdThatTooManyBrowsersShareIsNoPersons() throws {
        let desk = desk()
        let copies = try (0...Limits.identityMembersMaximum).map { try copy($0) }
        for copy in copies.dropLast() { desk.put(copy, of: person) }
        #expect(desk.member(copies[0].visitor, of: person, Self.model)?.isAlone == false)
        _ = notices(desk)
        desk.put(try #require(copies.last), of: person)
        #expect(desk.member(copies[0].visitor, of: person, Self.model)?.isAlone == true)
        #expect(notices(desk).count == Limits.identityMembersMaximum)
        desk.remove(copies[5].visitor, from: person)
        #expect(desk.member(copies[0].visitor, of: person, Self.model)?.isAlone == false)
        #expect(notices(desk).count == Limits.identityMembersMaximum)
    }

    @Test func copiesAreBoundedAndTheOldestGo() throws {
        let desk = desk(copies: 64 * 8)
        for number in 0..<100 {
            let same = Hash128(low: UInt64(number), high: 64)
            desk.put(try copy(number), of: same)
            #expect(desk.copies <= 9)
        }
        let newest = try copy(99)
        let last = desk.member(newest.visitor, of: Hash128(low: 99, high: 64), Self.model)
        #expect(last != nil && desk.letGo > 80)
    }
}
