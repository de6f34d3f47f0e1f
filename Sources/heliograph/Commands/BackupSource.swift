import Glibc
import Journal
import Loop
import Units

/// The files of a running engine, taken so that together they are one state.
///
/// The order is what makes it one:
/// 1. Segments are opened and held. What retention removes from now on stays readable. Retention never
///    removes what the newest checkpoint at or before PostgreSQL's position needs, nor what the kept
///    deduplication states need; so what is held reaches back far enough for 2 and 3.
/// 2. Deduplication states and partition checkpoints are copied, each partition's files as they stood
///    together. Among a partition's is one at or before PostgreSQL's position of now.
/// 3. PostgreSQL is dumped from one snapshot: rows and positions P of one moment, later than 2, so
///    every partition has a checkpoint at or before P.
/// 4. The journal's end E is taken, and segments are copied up to it. Every row of 3 came from a record
///    that was durable before it, so P is at or before E; so are the states of 2.
///
/// A start on this finds deduplication as of E (state of 2 and the records behind it): what clients
/// resend of later events is new to it, what lies before E is known. PostgreSQL's missing rows are
/// worked out again from P to E, Redis from the checkpoints.
struct BackupSource {
    private static let attemptsMaximum = 200
    private static let segmentSuffix = ".hgj"
    /// Checkpoints, and files of visitors' states that checkpoints name.
    private static let stateSuffixes = [".hgc", ".hgk"]

    let data: String
    private(set) var segments: [String: HeldFile] = [:]

    init(data: String) { self.data = data }

    var journal: String { data + "/journal" }
    var checkpoints: String { data + "/checkpoints" }

    // MARK: - Segments

    /// Opens the segments that there are and are not held yet.
    mutating func holdSegments() throws(CommandError) {
        for _ in 0..<Self.attemptsMaximum {
            let names = Files.names(in: journal).filter { $0.hasSuffix(Self.segmentSuffix) }
            var vanished = false
            for name in names where segments[name] == nil {
                segments[name] = try HeldFile("\(journal)/\(name)", name: name)
                vanished = vanished || segments[name] == nil
            }
            if !vanished { return }
        }
        throw CommandError("the journal's segments change too fast to be held; try again")
    }

    /// Where the journal ends now: its last segment, the byte behind its last whole record, and that
    /// record's sequence. Nil while there is no segment.
    func end() throws -> (report: SegmentReport, sequence: UInt64)? {
        var audit = try JournalAudit(disk: .real, directory: journal) { Pause.milliseconds(50) }
        audit.skipToLast()
        guard let report = try audit.next() else { return nil }
        return (report, audit.lastSequence)
    }

    /// The held segments up to the one called `last`, in order.
    func segments(upTo last: String) -> [HeldFile] {
        segments.values.filter { $0.name <= last }.sorted { $0.name < $1.name }
    }

    // MARK: - States

    /// Calls `body` with the state files of `directory`. Files whose names begin alike up to the first
    /// `-` belong together and are taken as they stood at one moment: names that were listed before
    /// and after all of them were opened, and are the same.
    func forEachState(
        in directory: String,
        _ body: (HeldFile) throws -> Void
    ) throws {
        var done: Set<Substring> = []
        for _ in 0..<Self.attemptsMaximum {
            let before = groups(directory).filter { !done.contains($0.key) }
            if before.isEmpty { return }
            var held: [Substring: [HeldFile]] = [:]
            for (group, names) in before { held[group] = try hold(names, directory) }
            let after = groups(directory)
            for (group, files) in held where after[group] == before[group] {
                try files.forEach(body)
                done.insert(group)
            }
        }
        throw CommandError("checkpoints in \(directory) change too fast to be copied; try again")
    }

    private func groups(_ directory: String) -> [Substring: Set<String>] {
        let names = Files.names(in: directory).filter { name in
            Self.stateSuffixes.contains { name.hasSuffix($0) }
        }
        return Dictionary(grouping: names) { $0.prefix { $0 != "-" } }.mapValues(Set.init)
    }

    /// Nil when one of them is gone.
    private func hold(
        _ names: Set<String>,
        _ directory: String
    ) throws(CommandError) -> [HeldFile]? {
        var files: [HeldFile] = []
        for name in names.sorted() {
            guard let file = try HeldFile("\(directory)/\(name)", name: name) else { return nil }
            files.append(file)
        }
        return files
    }
}
