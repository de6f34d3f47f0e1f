import Bytes
import Companion
import Loop
import Records
import Scoring
import Settings
import Units

/// What Redis says of persons, held against what all their browsers' sums come to, each as of the record
/// that its hash stands at.
struct PersonVerification {
    struct Member {
        let entry: LiveModelScan.Entry
        let copy: MemberCopy
        let model: ScoringModel
        /// The edition that the score was made by; nil when it is no longer kept.
        let book: LearnedBook?
    }

    /// How long the engine has to write all browsers of a person after one of them has changed.
    private static let settleMilliseconds: UInt32 = 500

    private var persons: [Hash128: [Member]] = [:]

    mutating func add(_ member: Member, of identity: Hash128) {
        persons[identity, default: []].append(member)
    }

    /// Where a person's browsers do not say what they should, they are looked at once more: one may have
    /// changed while they were read.
    func finish(_ scan: LiveModelScan, _ part: inout VerifiedPart) {
        var hasWaited = false
        for members in persons.values {
            var wrong = Self.wrong(members)
            if !wrong.isEmpty {
                if !hasWaited { Pause.milliseconds(Self.settleMilliseconds) }
                hasWaited = true
                let again = members.map { Self.look(again: $0, scan) }
                let hasMoved = zip(members, again).contains {
                    $0.entry.position != $1.entry.position || $0.entry.model != $1.entry.model
                }
                wrong = hasMoved ? [] : Self.wrong(again)
            }
            part.agree(members.count - wrong.count)
            for difference in wrong { part.differ(difference) }
        }
    }

    private static func look(again member: Member, _ scan: LiveModelScan) -> Member {
        let (site, visitor) = (member.entry.site, member.entry.visitor)
        let found = try? scan.visitor(site: site, visitor: visitor)
        return Member(
            entry: found ?? member.entry,
            copy: member.copy,
            model: member.model,
            book: member.book
        )
    }

    private static func wrong(_ members: [Member]) -> [String] {
        members.compactMap { member in
            let person = person(members, member)
            let context = MemberCopy.context(person == nil ? [member.copy] : members.map(\.copy))
            let sums = person ?? member.copy.state
            let reading = member.copy.reading(as: sums, member.model)
            let likelihood = member.book.map {
                member.copy.likelihood(as: sums, context, $0, member.model)
            }
            var joined = ByteBuffer(capacity: PackedState.bytesMaximum)
            person?.pack(into: &joined)
            let isSame =
                member.entry.says(reading) && member.entry.says(likelihood)
                && joined.view.buffer.elementsEqual(member.entry.joined ?? [])
            return isSame ? nil : member.entry.difference(reading)
        }
    }

    private static func person(_ members: [Member], _ member: Member) -> PackedState? {
        guard 2...Limits.identityMembersMaximum ~= members.count else { return nil }
        return MemberCopy.merged(members.map(\.copy), member.model)
    }
}

extension LiveModelScan.Entry {
    /// Whether the hash has a reading's score, band and profile.
    func says(_ reading: Reading) -> Bool {
        Self.text(reading.score) == score && reading.band.name == band
            && reading.profile.name == profile
    }

    /// Whether the hash has this likelihood. Scores of an edition that is no longer kept, or of before
    /// there were bounds, are not compared.
    func says(_ expected: Likelihood?) -> Bool {
        guard let expected, let likelihood else { return true }
        var text = ByteBuffer(capacity: 64)
        for number in [expected.probability, expected.low, expected.high] {
            text.append(fixed: number, places: 4)
            text.append(UInt8(ascii: " "))
        }
        text.append(text: expected.source.name)
        return text.view.text == likelihood
    }

    /// What the hash has, and what it should have.
    func difference(_ reading: Reading) -> String {
        "\(visitor): score \(score) \(band) \(profile), not \(Self.text(reading.score)) "
            + "\(reading.band.name) \(reading.profile.name)"
    }

    private static func text(_ score: Double) -> String {
        var text = ByteBuffer(capacity: 16)
        text.append(fixed: score, places: 1)
        return text.view.text
    }
}
