import Bytes
import Journal
import Records
import Scoring
import Settings
import Units

/// Brings visitors that are not in memory back to a Redis that has lost them, some at a time, so that
/// who is here now need not wait.
///
/// Walks the files that there were when the loss was noticed; a file stays readable for as long as it
/// is held. What is staged is the state as it stands now: who has come back meanwhile is in memory,
/// who has left again is in a newer file. Owned by the worker's thread.
final class ColdResync {
    /// A visitor that is in memory.
    struct Returned {
        let partition: Partition
        let index: Int32
    }

    private struct Part {
        let partition: Partition
        /// What Redis has of the partition.
        let offset: UInt64
        var files: [ColdFile]
    }

    /// Entries looked at in one step.
    private static let entriesPerStep = 65_536

    private let folds: FoldSet
    private let onProblem: (String) -> Void
    private var parts: [Part] = []
    private var cursor: Owned<ColdCursor>?
    /// The entry at the cursor found no room in the stage.
    private var isWaiting = false
    private var returned: [Returned] = []
    private var buffer = ByteBuffer(capacity: 1024, limit: ColdState.recallBytesMaximum)

    init(folds: FoldSet, onProblem: @escaping (String) -> Void) {
        self.folds = folds
        self.onProblem = onProblem
    }

    var isEmpty: Bool { parts.isEmpty }

    /// Redis lacks what changed in the partition beyond `offset`.
    func add(_ partition: Partition, above offset: UInt64) {
        let files = folds.shelf(partition).files.filter { $0.newestOffset > offset }
        if parts.first?.partition == partition { endFile() }
        parts.removeAll { $0.partition == partition }
        if files.isEmpty { return }
        parts.append(Part(partition: partition, offset: offset, files: files))
    }

    func removeAll() {
        parts.removeAll()
        endFile()
    }

    /// Visitors found in memory since this was asked last.
    func takeReturned() -> [Returned] {
        defer { returned.removeAll(keepingCapacity: true) }
        return returned
    }

    /// Stages some visitors; `stage` says whether there was room. Returns how many.
    func step(now: Int64, _ stage: (Partition, ColdState) -> Bool) -> Int {
        var (looked, staged) = (0, 0)
        while looked < Self.entriesPerStep, staged < Limits.coldResyncVisitorsMaximum,
            let part = parts.first, let file = part.files.first
        {
            guard let entry = nextEntry(of: file) else {
                endFile()
                parts[0].files.removeFirst()
                if parts[0].files.isEmpty { parts.removeFirst() }
                continue
            }
            looked += 1
            let isOver = entry.time < now - Int64(Limits.visitorAgeMilliseconds)
            let isErased = folds.shelf(part.partition).erased.contains(entry.key)
            guard entry.offset > part.offset, !isOver, !isErased,
                let state = state(entry, part, file)
            else { continue }
            guard stage(part.partition, state) else {
                isWaiting = true
                return staged
            }
            staged += 1
        }
        return staged
    }

    private func endFile() {
        cursor = nil
        isWaiting = false
    }

    /// Nil at the end. What cannot be read is left out: its visitors come back with their next event.
    private func nextEntry(of file: ColdFile) -> ColdEntry? {
        let cursor = self.cursor ?? Owned(ColdCursor(file))
        self.cursor = cursor
        if isWaiting {
            isWaiting = false
            return cursor.value.entry
        }
        do throws(ColdError) {
            if try cursor.value.next() { return cursor.value.entry }
            if cursor.value.damagedBlocks == 0 { return nil }
            onProblem("a file with idle visitors is damaged: Redis lacks some of them")
        } catch {
            onProblem("idle visitors could not be read for Redis: \(error)")
        }
        return nil
    }

    /// The state of the entry's visitor as it stands now. Nil when it is in memory, and noted as such.
    private func state(_ entry: ColdEntry, _ part: Part, _ file: ColdFile) -> ColdState? {
        guard let cursor, let state = ColdState(cursor.value.bytes) else { return nil }
        if let index = folds.fold(part.partition).value.index(of: state) {
            returned.append(Returned(partition: part.partition, index: index))
            return nil
        }
        for newer in folds.shelf(part.partition).files {
            if newer === file { break }
            guard newer.mayHold(entry.key) else { continue }
            do throws(ColdError) {
                if try newer.find(entry.key, into: &buffer) != nil {
                    return ColdState(buffer.view)
                }
            } catch {
                return nil
            }
        }
        return state
    }
}
