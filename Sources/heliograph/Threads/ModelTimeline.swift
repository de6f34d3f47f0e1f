import Foundation
import Records
import Scoring
import Settings
import Synchronization

/// Which scoring model scored which record: each holds from one offset of every partition on.
///
/// The file `models.json` of the data folder. With it everything behind the journal is a function of the
/// records, although weights change while the engine runs: live fold, recovery, the archive's refolding,
/// rebuild and verify ask here. An entry is on disk before the first record is folded by its model. All
/// entries have the same fold rules: when half-lives, stages or categories change, the past is folded
/// anew by the newest file alone, and the list begins with it.
final class ModelTimeline: Sendable {
    /// A model, and the first offset of each partition that it scores.
    private struct Entry {
        let model: ScoringModel
        let text: String
        let since: [UInt64]
    }

    /// A model that is to come: workers stop at where they are and say so; the last one brings it in.
    private struct Pending {
        let model: ScoringModel
        let text: String
        var since = [UInt64](repeating: 1, count: Partition.count)
        var waiting: Set<Int>
    }

    private struct Content {
        var entries: [Entry]
        var pending: Pending?
    }

    private struct Stored: Codable {
        let model: String
        let since: [UInt64]
        let file: String
    }

    static let fileName = "models.json"

    private let content: Mutex<Content>
    private let path: String?
    /// Grows with each entry.
    private let version = Atomic<Int>(0)
    /// Whether there is a `pending` model.
    private let changing = Atomic<Bool>(false)

    /// One model for everything that ever was.
    init(_ model: ScoringModel) {
        path = nil
        content = Mutex(Content(entries: [Self.whole(model, "")]))
    }

    private init(_ entries: [Entry], path: String) {
        self.path = path
        content = Mutex(Content(entries: entries))
    }

    private static func whole(_ model: ScoringModel, _ text: String) -> Entry {
        Entry(model: model, text: text, since: [UInt64](repeating: 0, count: Partition.count))
    }

    /// The list of the data folder `data`. Where there is none, or it is of other fold rules than the
    /// file with this text, the file's model holds for everything; not so with `isInForce`, when an
    /// engine works by the list, whatever the file says by now.
    static func stored(
        in data: String,
        _ model: ScoringModel,
        _ text: String,
        isInForce: Bool = false
    ) -> ModelTimeline {
        let path = "\(data)/\(fileName)"
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        let stored = (try? JSONDecoder().decode([Stored].self, from: bytes)) ?? []
        let entries = stored.compactMap { entry -> Entry? in
            guard entry.since.count == Partition.count,
                let file = try? ScoringFile.parse(entry.file, file: path)
            else { return nil }
            return Entry(model: ScoringModel(file), text: entry.file, since: entry.since)
        }
        let isWhole =
            !entries.isEmpty && entries.count == stored.count
            && (isInForce || entries.allSatisfy { $0.model.foldRules == model.foldRules })
            && zip(entries, stored).allSatisfy { $0.model.name == $1.model }
        return ModelTimeline(isWhole ? entries : [whole(model, text)], path: path)
    }

    // MARK: - Asking

    /// How often the list has changed; for noticing cheaply.
    var changes: Int { version.load(ordering: .acquiring) }

    /// Whether a model waits to come in.
    var isChanging: Bool { changing.load(ordering: .acquiring) }

    /// The newest model that is in force.
    var latest: ScoringModel { content.withLock { $0.entries[$0.entries.count - 1].model } }

    /// The model that scores the record at `offset`, and the first offset behind it that another does.
    func model(_ partition: Partition, at offset: UInt64) -> (model: ScoringModel, until: UInt64) {
        let index = Int(partition.index)
        return content.withLock { content in
            let entries = content.entries
            var place = entries.count - 1
            while place > 0, entries[place].since[index] > offset { place -= 1 }
            let until = place + 1 < entries.count ? entries[place + 1].since[index] : .max
            return (entries[place].model, until)
        }
    }

    /// The newest model of this name.
    func model(named name: String) -> ScoringModel? {
        content.withLock { $0.entries.last { $0.model.name == name }?.model }
    }

    // MARK: - Changing

    /// What came of proposing a model.
    enum Proposal {
        case isInForce, willCome
        /// Its fold rules differ: only a start can fold the past anew.
        case needsStart
        /// Another is on its way; ask again.
        case isBusy
    }

    /// Lets a model come in, as soon as all of the `workers` have stopped for it.
    func propose(_ model: ScoringModel, _ text: String, workers: Int) -> Proposal {
        content.withLock { content in
            if content.pending != nil { return .isBusy }
            let current = content.entries[content.entries.count - 1].model
            if model.name == current.name { return .isInForce }
            guard model.foldRules == current.foldRules else { return .needsStart }
            content.pending = Pending(model: model, text: text, waiting: Set(0..<workers))
            changing.store(true, ordering: .releasing)
            return .willCome
        }
    }

    /// Whether a worker must fold nothing for now. It says, once, which record of each of its partitions
    /// is the next; the last worker to say so brings the model in.
    func holds(worker: Int, next: () -> [(Partition, UInt64)]) throws(FileProblem) -> Bool {
        guard isChanging else { return false }
        return try content.withLock { content throws(FileProblem) in
            guard content.pending?.waiting.remove(worker) != nil else {
                return content.pending != nil
            }
            for (partition, offset) in next() {
                content.pending?.since[Int(partition.index)] = offset
            }
            guard let pending = content.pending, pending.waiting.isEmpty else { return true }
            content.pending = nil
            changing.store(false, ordering: .releasing)
            try bringIn(pending, &content)
            return false
        }
    }

    /// Nobody waits any more: the engine stops, and the next start asks again.
    func abandon() {
        content.withLock { content in
            content.pending = nil
            changing.store(false, ordering: .releasing)
        }
    }

    private func bringIn(
        _ pending: Pending,
        _ content: inout Content
    ) throws(FileProblem) {
        let entry = Entry(model: pending.model, text: pending.text, since: pending.since)
        let entries = Self.newest(content.entries + [entry])
        try write(entries)
        content.entries = entries
        version.add(1, ordering: .releasing)
    }

    /// The list within its limit: what the oldest models scored counts as the next one's, should anybody
    /// still fold it. Every score in Redis is written anew with each change, so none names them.
    private static func newest(_ entries: [Entry]) -> [Entry] {
        var kept = Array(entries.suffix(Limits.modelsKept))
        guard kept.count < entries.count, let first = kept.first else { return entries }
        kept[0] = whole(first.model, first.text)
        return kept
    }

    /// Puts the list as it is on disk.
    func save() throws(FileProblem) {
        let entries = content.withLock { $0.entries }
        try write(entries)
    }

    private func write(_ entries: [Entry]) throws(FileProblem) {
        guard let path else { return }
        let stored = entries.map { Stored(model: $0.model.name, since: $0.since, file: $0.text) }
        let bytes = (try? JSONEncoder().encode(stored)) ?? Data()
        let text = String(decoding: bytes, as: UTF8.self)
        try Files.write(text, to: path, mode: 0o600, isDurable: true)
    }
}
