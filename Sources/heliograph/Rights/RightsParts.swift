import Foundation
import Privacy
import Settings
import Storage

/// What an engine needs to honour requests of privacy law, read at its start.
struct RightsParts: Sendable {
    let data: String
    let key: SubjectKey
    /// The eraser's thread alone uses it, once the pipeline has started.
    nonisolated(unsafe) let list: ErasureList
    let suppressed: SuppressedSubjects
    let conninfo: String
    let redisURL: String
    let retention: RowRetention

    /// Reads key and list of the data folder; makes the key where there is none.
    init(
        data: String,
        conninfo: String,
        redisURL: String,
        retention: RowRetention
    ) throws(StartError) {
        (self.data, self.conninfo, self.redisURL) = (data, conninfo, redisURL)
        self.retention = retention
        key = try SubjectKey(data: data)
        suppressed = SuppressedSubjects(key: key, capacity: Limits.suppressedSubjectsMaximum)
        do {
            list = try ErasureList(data: data)
            try RightsFolder(data: data).make()
        } catch {
            throw StartError(error.description)
        }
        for entry in list.rulings(now: Moment.now) {
            guard suppressed.insert(entry.tag) else {
                throw StartError("the erasure list has more subjects than an engine can hold")
            }
        }
    }
}
