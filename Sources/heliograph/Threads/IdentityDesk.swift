import Bytes
import Records
import Rings
import Scoring
import Settings
import Synchronization
import Units

/// Where the browsers of a person come together: a copy of each one's sums, under the person's key.
///
/// A visitor's sums stay with the worker that owns its partition; whenever that worker writes them to
/// Redis it lays a copy of the whole down here, over the one before, so laying it down again changes
/// nothing. What is read of a person is a pure function of these copies. The other workers hear which
/// of their visitors have to be written anew. Shared by all workers: a lock is held for one copy, only
/// for visitors that are identified, and never for each event.
final class IdentityDesk: Sendable {
    /// One of a person's browsers and the person, for who writes its key.
    struct Member {
        let copy: MemberCopy
        let person: PackedState
        /// What the person's likelihood needs beside the sums.
        let context: LearnContext
        /// Whether the person has no other browser, or so many that it is none.
        let isAlone: Bool
    }

    /// A visitor that has to be written anew.
    struct Notice: Hashable {
        let site: ShortText
        let visitor: ShortText
        let identity: Hash128
    }

    private struct Person {
        var members: [MemberCopy] = []
        /// What the members come to; nil while that is to be worked out.
        var merged: PackedState?
    }

    private struct Shelf {
        var persons: [Hash128: Person] = [:]
        var copies = 0
    }

    private final class LockedShelf: Sendable {
        let content = Mutex(Shelf())
    }

    private final class LockedBox: Sendable {
        let content = Mutex<Set<Notice>>([])
    }

    private static let shelfCount = 64

    private let shelves: [LockedShelf]
    private let boxes: [LockedBox]
    /// Workers that have not laid down yet what they knew when they began.
    private let awaited: Atomic<Int>
    private let letGoCount = Atomic<Int>(0)
    private let copiesMaximum: Int
    private let wakers: [Waker]

    /// A desk of `workers` workers; `wakers` wake them. It holds at most about `copiesMaximum` copies.
    init(workers: Int, wakers: [Waker] = [], copiesMaximum: Int = .max) {
        shelves = (0..<Self.shelfCount).map { _ in LockedShelf() }
        boxes = (0..<workers).map { _ in LockedBox() }
        awaited = Atomic(workers)
        self.copiesMaximum = copiesMaximum
        self.wakers = wakers
    }

    /// A desk of the workers that `wakers` wake, each of which may have so many visitors in memory.
    convenience init(_ wakers: [Waker], visitors: Int) {
        self.init(
            workers: wakers.count,
            wakers: wakers,
            copiesMaximum: visitors / 100 * Limits.identityCopiesPercent * wakers.count
        )
    }

    // MARK: - The beginning

    /// Whether every worker has laid down what it knew when it began. Before that a person may lack
    /// browsers, and nothing is read.
    var isComplete: Bool { awaited.load(ordering: .acquiring) == 0 }

    /// A worker has laid down everything.
    func arrive() { awaited.subtract(1, ordering: .acquiringAndReleasing) }

    // MARK: - Copies

    /// Lays a copy down, and tells the workers of the person's other browsers when that changes
    /// anything.
    func put(_ copy: MemberCopy, of identity: Hash128) {
        let others = withShelf(identity) { shelf in
            let others = Self.put(copy, identity, in: &shelf)
            if shelf.copies > copiesMaximum / Self.shelfCount { letGo(&shelf, but: identity) }
            return others
        }
        tell(others, of: identity)
    }

    private static func put(
        _ copy: MemberCopy,
        _ identity: Hash128,
        in shelf: inout Shelf
    ) -> [MemberCopy] {
        var person = shelf.persons.removeValue(forKey: identity) ?? Person()
        defer { shelf.persons[identity] = person }
        if let index = person.members.firstIndex(where: { $0.visitor == copy.visitor }) {
            guard person.members[index].offset != copy.offset else { return [] }
            person.members[index] = copy
        } else {
            person.members.append(copy)
            shelf.copies += 1
        }
        person.merged = nil
        return told(person.members, but: copy.visitor)
    }

    /// Takes a copy away: the browser is no longer part of the person.
    func remove(_ visitor: ShortText, from identity: Hash128) {
        let others = withShelf(identity) { shelf -> [MemberCopy] in
            guard var person = shelf.persons.removeValue(forKey: identity) else { return [] }
            let before = person.members.count
            person.members.removeAll { $0.visitor == visitor }
            shelf.copies -= before - person.members.count
            person.merged = nil
            if person.members.isEmpty { return [] }
            shelf.persons[identity] = person
            return Self.told(person.members, but: visitor)
        }
        tell(others, of: identity)
    }

    /// An id that so many browsers share is no person's: everybody is read alone, and only who is there
    /// when that begins or ends has to be told.
    private static func told(_ members: [MemberCopy], but visitor: ShortText) -> [MemberCopy] {
        if members.count > Limits.identityMembersMaximum + 1 { return [] }
        return members.filter { $0.visitor != visitor }
    }

    /// A browser as it was last laid down, and what its person comes to. Nil when the browser is not
    /// part of it.
    func member(_ visitor: ShortText, of identity: Hash128, _ model: ScoringModel) -> Member? {
        withShelf(identity) { shelf in
            guard let person = shelf.persons[identity],
                let copy = person.members.first(where: { $0.visitor == visitor })
            else { return nil }
            let isPerson = 2...Limits.identityMembersMaximum ~= person.members.count
            guard isPerson else {
                let context = MemberCopy.context([copy])
                return Member(copy: copy, person: copy.state, context: context, isAlone: true)
            }
            let merged = person.merged ?? MemberCopy.merged(person.members, model) ?? copy.state
            shelf.persons[identity]?.merged = merged
            let context = MemberCopy.context(person.members)
            return Member(copy: copy, person: merged, context: context, isAlone: false)
        }
    }

    private func withShelf<Result>(
        _ identity: Hash128,
        _ body: (inout Shelf) -> Result
    ) -> Result {
        let index = Int(truncatingIfNeeded: identity.high) & (Self.shelfCount - 1)
        return shelves[index].content.withLock { body(&$0) }
    }

    // MARK: - Memory

    /// Copies that are held.
    var copies: Int { shelves.reduce(0) { $0 + $1.content.withLock { $0.copies } } }

    /// Copies that were let go for lack of room since the process began.
    var letGo: Int { letGoCount.load(ordering: .relaxed) }

    /// Lets the quarter of the persons go that nobody has seen for longest.
    private func letGo(_ shelf: inout Shelf, but identity: Hash128) {
        let before = shelf.copies
        let oldest = shelf.persons.filter { $0.key != identity }
            .map { ($0.key, $0.value.members.map(\.state.updatedAt).max() ?? 0) }
            .sorted { $0.1 < $1.1 }.prefix(max(1, shelf.persons.count / 4))
        for (key, _) in oldest {
            shelf.copies -= shelf.persons.removeValue(forKey: key)?.members.count ?? 0
        }
        letGoCount.add(before - shelf.copies, ordering: .relaxed)
    }

    // MARK: - Notices

    /// Before all have arrived nothing is written, and then everything is.
    private func tell(_ members: [MemberCopy], of identity: Hash128) {
        guard isComplete else { return }
        for member in members {
            let partition = member.visitor.withBytes { Partition(visitor: $0) }
            let worker = Int(partition.index) % boxes.count
            let notice = Notice(site: member.site, visitor: member.visitor, identity: identity)
            boxes[worker].content.withLock { _ = $0.insert(notice) }
            if wakers.indices.contains(worker) { wakers[worker].forceWake() }
        }
    }

    /// What worker number `worker` has been told since it last asked.
    func takeNotices(_ worker: Int) -> Set<Notice> {
        boxes[worker].content.withLock { box in
            defer { box.removeAll() }
            return box
        }
    }
}
