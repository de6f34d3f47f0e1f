import Bytes
import CShims
import Foundation
import Journal
import Privacy
import Records
import Units

/// Looks for bytes in bytes.
enum ByteSearch {
    static func finds(_ needle: [UInt8], in hay: ByteView) -> Bool {
        guard !needle.isEmpty, needle.count <= hay.count else { return false }
        return hg_contains(hay.buffer.baseAddress, hay.count, needle, needle.count) != 0
    }
}

/// Tells the journal's records of some visitors.
struct RecordSearch {
    private let subjects: SuppressedSubjects
    private let site: [UInt8]
    private let needles: [[UInt8]]

    init(_ key: SubjectKey, site: String, _ visitors: [String]) {
        subjects = SuppressedSubjects(key: key, capacity: max(16, visitors.count))
        self.site = Array(site.utf8)
        needles = visitors.map { Array($0.utf8) }
        for visitor in visitors {
            let entry = key.entry(.erased, .visitor, site: site, id: visitor, at: 0)
            _ = subjects.insert(entry.tag)
        }
    }

    func isWanted(_ record: JournalRecord) -> Bool {
        switch record.header.kind {
        case .slice:
            guard let slice = Slice(record.payload) else { return false }
            return subjects.covers(site: slice.site, visitor: slice.visitor, user: .empty)
        case .erasure, .parting:
            guard let erasure = Erasure(record.payload), !erasure.visitor.isEmpty else {
                return false
            }
            return subjects.covers(site: erasure.site, visitor: erasure.visitor, user: .empty)
        case .rejected:
            return needles.contains { ByteSearch.finds($0, in: record.payload) }
        }
    }
}

/// Watches the checkpoints of some partitions until none of their files names a visitor any more.
struct CheckpointWatch {
    private let around: Eraser.Surroundings
    private let visitors: [Partition: [String]]
    /// Offset of the erasures: no checkpoint before it may be left.
    private let offsets: [Partition: UInt64]
    /// Offset of the record last appended for the partition's sake.
    private var nudgedAt: [Partition: UInt64]
    /// Partitions whose files still name somebody.
    private(set) var pending: Set<Partition>

    init(
        _ visitors: [String],
        _ offsets: [Partition: UInt64],
        _ around: Eraser.Surroundings
    ) {
        self.around = around
        self.offsets = offsets
        self.visitors = Dictionary(grouping: visitors) { visitor in
            Array(visitor.utf8).withUnsafeBytes { Partition(visitor: ByteView($0)) }
        }
        pending = Set(offsets.keys)
        nudgedAt = offsets
    }

    /// Looks at the partitions that are pending.
    mutating func look() throws {
        let names = Files.names(in: around.checkpointDirectory)
        for partition in pending {
            guard around.checkpoints.oldest(partition) >= offsets[partition] ?? 0 else { continue }
            let digits = String(partition.index)
            let prefix = "p" + String(repeating: "0", count: 3 - digits.count) + digits
            let files = names.filter { $0.hasPrefix(prefix) || $0.hasPrefix("scratch-" + prefix) }
            if !files.contains(where: { isNamed(in: $0, partition) }) { pending.remove(partition) }
        }
    }

    /// A file that is gone names nobody.
    private func isNamed(in file: String, _ partition: Partition) -> Bool {
        let path = "\(around.checkpointDirectory)/\(file)"
        guard let content = FileManager.default.contents(atPath: path) else { return false }
        return content.withUnsafeBytes { bytes in
            (visitors[partition] ?? []).contains { visitor in
                ByteSearch.finds(Array(visitor.utf8), in: ByteView(bytes))
            }
        }
    }

    /// A visitor of each partition whose checkpoint of the last record is written and did not suffice.
    var nudges: [String] {
        pending.compactMap { partition in
            guard around.checkpoints.newest(partition) >= nudgedAt[partition] ?? 0 else {
                return nil
            }
            return visitors[partition]?.first
        }
    }

    mutating func note(_ appended: [Partition: UInt64]) {
        nudgedAt.merge(appended) { max($0, $1) }
    }
}
