import Bytes
import Glibc
import Journal
import Scoring
import Settings
import Units

/// The cold files that one fold stands on, the newest first: of a state in several the newest holds,
/// and what is in memory holds before all. Owned by the fold's thread.
final class ColdShelf {
    private(set) var files: [ColdFile] = []
    /// Reads of a file, whether or not the state was there.
    private(set) var reads = 0
    /// States taken back.
    private(set) var returned = 0
    /// States that could not be had although they may have been there.
    private(set) var lost = 0
    /// Attempts in a row that failed.
    private var failures = 0
    /// Whether a disk that does not answer is waited for here, as folds do that nobody waits for.
    var waitsForDisk = true

    /// Keys of visitors that were erased and that a file may still hold: nobody finds them any more.
    private(set) var erased: Set<Hash128> = []

    /// A visitor was erased.
    func erase(_ key: Hash128) { erased.insert(key) }

    /// Files no longer hold these.
    func forget(erased keys: Set<Hash128>) { erased.subtract(keys) }

    /// Whether a file may hold a visitor that was erased.
    var mayHoldErased: Bool {
        erased.contains { key in files.contains { $0.mayHold(key) } }
    }

    /// Looks for a state.
    func recall(_ key: Hash128, _ buffer: inout ByteBuffer) -> ColdAnswer {
        while true {
            let answer = look(key, &buffer)
            guard answer == .unreadable, waitsForDisk else { return answer }
            usleep(Limits.coldRereadMicroseconds)
        }
    }

    private func look(_ key: Hash128, _ buffer: inout ByteBuffer) -> ColdAnswer {
        if erased.contains(key) { return .absent }
        for file in files where file.mayHold(key) {
            reads += 1
            do throws(ColdError) {
                guard try file.find(key, into: &buffer) != nil else { continue }
                failures = 0
                returned += 1
                return .found
            } catch {
                return answer(to: error)
            }
        }
        return .absent
    }

    /// A disk that does not answer is tried again, but not for ever: others are waiting. An older state
    /// never takes the place of one that is damaged: it may be one that was withdrawn since.
    private func answer(to error: ColdError) -> ColdAnswer {
        failures += 1
        if case .unreadable = error, failures < Limits.coldReadAttemptsMaximum {
            return .unreadable
        }
        failures = 0
        lost += 1
        return .absent
    }

    /// A file with states that were in memory until now.
    func add(_ file: ColdFile) { files.insert(file, at: 0) }

    /// Takes files over from a checkpoint.
    func fill(_ files: [ColdFile]) { self.files = files }

    /// `merged` takes the place of the newest `count` files; nothing does when it is empty.
    func replace(_ count: Int, with merged: ColdFile) {
        files.replaceSubrange(0..<count, with: merged.count > 0 ? [merged] : [])
    }

    /// Files that are gone, or blocks of files that a merge could not take over.
    func noteLoss(_ count: Int) { lost += count }

    // MARK: - Size

    var serials: [UInt64] { files.map(\.serial) }

    /// Entries of all files; who has left more than once counts as often.
    var count: Int { files.reduce(0) { $0 + $1.count } }

    var diskBytes: Int { files.reduce(0) { $0 + $1.bytes } }

    var memoryBytes: Int { files.reduce(0) { $0 + $1.memoryBytes } }

    /// How many of the newest files are to be merged; nil while that is not worth its while.
    ///
    /// A run ends before a file that is more than twice as large as all newer ones together, so that
    /// each state is written again only when its file has grown by half at least.
    var mergeRun: Int? {
        guard files.count > 1 else { return nil }
        var (sum, run) = (files[0].bytes, 1)
        while run < files.count, files[run].bytes <= 2 * sum {
            sum += files[run].bytes
            run += 1
        }
        if run >= Limits.coldFilesMerged { return run }
        return files.count > Limits.coldFilesMaximum ? max(run, 2) : nil
    }
}
