import Bytes
import Companion
import Journal
import Loop
import Privacy
import Records
import Rings
import Settings
import Storage
import Units

/// Why a request is not carried out any further for now.
enum EraserPause: Error {
    /// The engine stops; the next start goes on.
    case stopping
    /// Something does not answer; it is tried again.
    case problem(String)
}

/// Carries out requests of privacy law, one after the other, on a thread of its own.
///
/// An erasure is a record of the journal. The order of its steps makes it one:
/// 1. The subject is put on the erasure list, durably, and into the table that the journal's thread asks.
/// 2. An erasure record is appended in the visitor's partition. The journal's thread takes messages in
///    order, so no slice of the subject stands behind the record.
/// 3. When Redis' position is past the record, nobody writes the visitor there any more: it is deleted.
///    The same holds for PostgreSQL.
/// 4. When all checkpoints that are kept stand behind the record and no file beside them names the
///    visitor, nobody will fold the older records again: their payloads are zeroed.
/// 5. Bytes that stores have let go of are written over: tables, logs, the append-only file.
/// 6. Everything is looked through once more, and a signed receipt is written.
///
/// The request's file goes last. Each step may be repeated, so a process that ends anywhere in between
/// is made good by the next start beginning from the first step. All fields belong to the thread.
final class Eraser {
    /// What it shares with the rest of the engine.
    struct Surroundings {
        let rights: RightsParts
        let keyPrefix: String
        let checkpoints: CheckpointThread
        let checkpointDirectory: String
        let archived: PartitionBoard
        let progress: JournalProgress
        let openReader: @Sendable () -> JournalReader
        let wipe: JournalWipe
        let journalWaker: Waker
        let stop: StopSignal
        let time: TimeSource
        let onProblem: @Sendable (String) -> Void
    }

    private static let lookEveryMilliseconds: Int32 = 500
    private static let retryMilliseconds: Int32 = 2_000
    /// Visitors in one transaction of PostgreSQL.
    private static let visitorsPerTransaction = 100

    let around: Surroundings
    let folder: RightsFolder
    private var journal: ErasureChannel
    private(set) var request: RightsRequest?
    private var retention = RetentionClock()

    init(
        _ around: Surroundings,
        toJournal: consuming RingProducer,
        fromJournal: consuming RingConsumer
    ) {
        self.around = around
        folder = RightsFolder(data: around.rights.data)
        journal = ErasureChannel(
            toJournal: toJournal,
            fromJournal: fromJournal,
            waker: around.journalWaker
        )
    }

    /// The thread's body.
    func run() {
        while !around.stop.isRequested {
            let pause = turn() ? Self.lookEveryMilliseconds : Self.retryMilliseconds
            if folder.isEmpty || pause == Self.retryMilliseconds { sleep(pause) }
        }
    }

    /// Carries out the oldest request, if there is one. False when it has to be tried again.
    private func turn() -> Bool {
        do throws(EraserPause) {
            try sweepAfterRestore()
            guard let next = folder.next() else {
                try keepRetention()
                return true
            }
            try perform(next)
            return true
        } catch {
            if case .problem(let text) = error {
                around.onProblem("an erasure is not done yet, trying again: \(text)")
            }
            return false
        }
    }

    /// Once an hour, rows that are older than they may be go.
    private func keepRetention() throws(EraserPause) {
        guard retention.due(at: around.time) != nil else { return }
        try attempt {
            try RightsArchive(conninfo: around.rights.conninfo).retain(around.rights.retention)
        }
    }

    private func sleep(_ milliseconds: Int32) {
        around.stop.waker.prepareToSleep()
        if around.stop.isRequested { return around.stop.waker.stayAwake() }
        around.stop.waker.sleep(timeoutMilliseconds: milliseconds)
    }

    /// Waits a little for somebody else, unless the engine stops.
    func wait() throws(EraserPause) {
        if around.stop.isRequested { throw .stopping }
        Pause.milliseconds(20)
    }

    func attempt<Result>(_ body: () throws -> Result) throws(EraserPause) -> Result {
        do { return try body() } catch let pause as EraserPause { throw pause } catch {
            throw .problem("\(error)")
        }
    }

    func note(_ phase: String, _ done: Int = 0, of total: Int = 0) {
        guard let request else { return }
        folder.note(RightsStatus(phase: phase, done: done, total: total), of: request.id)
    }

    // MARK: - The steps

    private func perform(_ next: RightsRequest) throws(EraserPause) {
        request = next
        defer { request = nil }
        if folder.status(of: next.id) != nil { request?.isResumed = true }
        note("listing")
        let archive = try attempt { try RightsArchive(conninfo: around.rights.conninfo) }
        if let order = next.action.order { return try part(next, order, archive) }
        try list(next.visitors, users: next.users + next.hashes)
        let sequence = try journal.mark(self)
        guard next.action == .erase else {
            return try conclude(archive, sequence, remaining: 0, notDone: [])
        }
        let visitors = try resolve(archive)
        try attempt { try archive.note(storedRequest(visitors)) }
        let offsets = try append(visitors)
        try eraseFromRedis(visitors, offsets)
        try eraseRows(visitors, offsets, archive)
        try eraseStates(visitors, offsets)
        try eraseRecords(visitors, archive)
        let notDone = try forget(archive)
        let remaining = try lookAgain(visitors, archive)
        try conclude(archive, sequence, remaining: remaining, notDone: notDone)
    }

    /// Parts visitors from their person, or joins them again: nobody is listed and nothing goes.
    private func part(
        _ next: RightsRequest,
        _ order: Erasure.Order,
        _ archive: RightsArchive
    ) throws(EraserPause) {
        let offsets = try journal.append(next.site, next.visitors, self, order: order)
        note("waiting for the stores")
        try waitForRedis(try openRedis(), offsets)
        while !offsets.allSatisfy({ around.archived[$0.key] >= $0.value }) { try wait() }
        let sequence = around.progress.committedSequence
        try conclude(archive, sequence, remaining: 0, notDone: [])
    }

    private func waitForRedis(
        _ redis: LiveModelErasure,
        _ offsets: [Partition: UInt64]
    ) throws(EraserPause) {
        while true {
            let held = try attempt { try redis.positions(count: Partition.count) }
            if offsets.allSatisfy({ held[Int($0.key.index)] >= $0.value }) { return }
            try wait()
        }
    }

    private func list(_ visitors: [String], users: [String]) throws(EraserPause) {
        guard let request else { return }
        let ruling: ErasureList.Ruling =
            switch request.action {
            case .erase: .erased
            case .restrict: .restricted
            case .lift, .part, .rejoin: .lifted
            }
        let known = Set(around.rights.list.entries.filter { $0.ruling == ruling }.map(\.digest))
        let all = visitors.map { (SubjectKind.visitor, $0) } + users.map { (SubjectKind.user, $0) }
        let entries = all.map { kind, id in
            around.rights.key.entry(
                ruling,
                kind,
                site: request.site,
                id: id,
                at: request.requestedAt
            )
        }
        // What was lifted may be restricted once more; an erasure needs to be listed once.
        let isRepeatable = request.action != .erase
        try attempt {
            try around.rights.list.append(
                entries.filter { isRepeatable || !known.contains($0.digest) }
            )
        }
        for entry in entries {
            if ruling == .lifted {
                if !isErased(entry) { around.rights.suppressed.remove(entry.tag) }
            } else if !around.rights.suppressed.insert(entry.tag) {
                throw .problem("more than \(Limits.suppressedSubjectsMaximum) subjects are listed")
            }
        }
    }

    private func isErased(_ entry: ErasureList.Entry) -> Bool {
        around.rights.list.entries.contains { $0.ruling == .erased && $0.digest == entry.digest }
    }

    private func storedRequest(_ visitors: [String]) -> RightsArchive.Request {
        let site = request?.site ?? ""
        let users = (request?.users ?? []) + (request?.hashes ?? [])
        return RightsArchive.Request(
            id: request?.id ?? "",
            action: request?.action.rawValue ?? "",
            site: site,
            requestedAt: request?.requestedAt ?? 0,
            digests: visitors.map { around.rights.key.digest(.visitor, site: site, id: $0) }
                + users.map { around.rights.key.digest(.user, site: site, id: $0) }
        )
    }

    /// All visitors that the request is about: those of its users are found in the journal first, so
    /// that none falls between it and the rows.
    private func resolve(_ archive: RightsArchive) throws(EraserPause) -> [String] {
        guard var request, !request.isResolved else { return request?.visitors ?? [] }
        if !request.users.isEmpty || !request.hashes.isEmpty {
            note("looking for the person's visitors")
            var found = Set(request.visitors)
            found.formUnion(try visitorsInJournal(request))
            let rows = try attempt {
                try archive.visitors(
                    site: request.site,
                    users: request.users,
                    hashes: request.hashes
                )
            }
            request.visitors = found.union(rows).sorted()
            try list(request.visitors, users: [])
        }
        request.isResolved = true
        self.request = request
        try attempt { try folder.put(request) }
        return request.visitors
    }

    private func visitorsInJournal(_ request: RightsRequest) throws(EraserPause) -> Set<String> {
        let users = Set(request.users)
        let hashes = request.hashes.map { Array($0.utf8) }
        var found: Set<String> = []
        var reader = around.openReader()
        let bound = around.progress.committedSequence
        return try attempt {
            _ = try reader.read(upTo: bound) { record in
                guard record.header.kind == .slice, !record.isErased,
                    let slice = Slice(record.payload), slice.site.text == request.site
                else { return }
                let isTheirs =
                    !slice.user.isEmpty && users.contains(slice.user.text)
                    || hashes.contains { ByteSearch.finds($0, in: record.payload) }
                if isTheirs { found.insert(slice.visitor.text) }
            }
            return found
        }
    }

    /// Appends an erasure for each visitor; the last offset of each partition.
    private func append(
        _ visitors: [String]
    ) throws(EraserPause) -> [Partition: UInt64] {
        note("writing erasures to the journal", 0, of: visitors.count)
        return try journal.append(request?.site ?? "", visitors, self)
    }

    private func eraseFromRedis(
        _ visitors: [String],
        _ offsets: [Partition: UInt64]
    ) throws(EraserPause) {
        note("waiting for Redis")
        let redis = try openRedis()
        try waitForRedis(redis, offsets)
        note("erasing from Redis", 0, of: visitors.count)
        let site = request?.site ?? ""
        let count = try attempt { try redis.erase(site: site, visitors: visitors) }
        try add("redis visitors", count)
    }

    private func openRedis() throws(EraserPause) -> LiveModelErasure {
        try attempt {
            try LiveModelErasure(url: around.rights.redisURL, keyPrefix: around.keyPrefix)
        }
    }

    private func eraseRows(
        _ visitors: [String],
        _ offsets: [Partition: UInt64],
        _ archive: RightsArchive
    ) throws(EraserPause) {
        note("waiting for PostgreSQL")
        while !offsets.allSatisfy({ around.archived[$0.key] >= $0.value }) { try wait() }
        try deleteRows(visitors, archive)
    }

    private func deleteRows(
        _ visitors: [String],
        _ archive: RightsArchive
    ) throws(EraserPause) {
        guard let request else { return }
        var start = 0
        while start < visitors.count {
            note("erasing rows", start, of: visitors.count)
            let end = min(start + Self.visitorsPerTransaction, visitors.count)
            let chunk = Array(visitors[start..<end])
            try attempt {
                try archive.erase(site: request.site, visitors: chunk, request: request.id)
            }
            if around.stop.isRequested { throw .stopping }
            start = end
        }
    }

    /// Waits until no checkpoint and no file of idle visitors names them. Each erasure record makes its
    /// partition write a checkpoint, so more are appended until the old ones have gone.
    private func eraseStates(
        _ visitors: [String],
        _ offsets: [Partition: UInt64]
    ) throws(EraserPause) {
        var watch = CheckpointWatch(visitors, offsets, around)
        let total = watch.pending.count
        while true {
            try attempt { try watch.look() }
            note("erasing states", total - watch.pending.count, of: total)
            if watch.pending.isEmpty { return }
            let nudges = watch.nudges
            if !nudges.isEmpty {
                watch.note(try journal.append(request?.site ?? "", nudges, self))
            }
            for _ in 0..<10 { try wait() }
        }
    }

    private func eraseRecords(
        _ visitors: [String],
        _ archive: RightsArchive
    ) throws(EraserPause) {
        note("zeroing records of the journal")
        let search = RecordSearch(around.rights.key, site: request?.site ?? "", visitors)
        let bound = around.progress.committedSequence
        let report = try attempt { try around.wipe.wipe(upTo: bound, where: search.isWanted) }
        try add("journal records", report.records, archive)
    }

    private func add(
        _ store: String,
        _ count: Int,
        _ archive: RightsArchive? = nil
    ) throws(EraserPause) {
        guard let request, count > 0 else { return }
        try attempt {
            let archive = try archive ?? RightsArchive(conninfo: around.rights.conninfo)
            try archive.add(RightsArchive.Count(store: store, rows: count), to: request.id)
        }
    }

    // MARK: - Bytes that stores have let go of

    private func forget(_ archive: RightsArchive) throws(EraserPause) -> [String] {
        guard let id = request?.id else { return [] }
        let redis = try openRedis()
        let keepsLog = try attempt { try redis.keepsLog() }
        if keepsLog { try attempt { try redis.beginRewrite() } }
        let tables = try attempt { try archive.found(id).counts.map(\.store) }
        var problems = try waitForReaders(archive)
        problems += archive.rewrite(tables) { note("rewriting \($0)") }
        // Statistics were made anew, and their old rows must be nobody's any more, either.
        problems += try waitForReaders(archive)
        problems += archive.rewriteStatistics()
        note("putting PostgreSQL's log out of use")
        problems += archive.recycleLog()
        note("waiting for Redis' file")
        while keepsLog, try attempt({ try !redis.hasRewritten() }) { try wait() }
        return problems
    }

    /// Somebody who reads a long time, such as a backup, keeps deleted rows alive. Returns what is to
    /// be told when it takes too long.
    private func waitForReaders(_ archive: RightsArchive) throws(EraserPause) -> [String] {
        note("waiting for older transactions of PostgreSQL")
        let moment = try attempt { try archive.markMoment() }
        let begun = Pause.monotonicMilliseconds()
        while try attempt({ try !archive.isBehind(moment) }) {
            guard Pause.monotonicMilliseconds() - begun < Limits.erasureReadersMilliseconds else {
                return ["PostgreSQL: a transaction from before still sees the rows; vacuum later"]
            }
            try wait()
        }
        return []
    }

    /// Somebody may have written between two looks, such as the sweep of ranks in Redis.
    private func lookAgain(
        _ visitors: [String],
        _ archive: RightsArchive
    ) throws(EraserPause) -> Int {
        guard let request else { return 0 }
        let redis = try openRedis()
        var remaining = 0
        for _ in 0..<3 {
            note("looking again")
            remaining = try attempt {
                try redis.count(site: request.site, visitors: visitors)
                    + archive.count(site: request.site, visitors: visitors)
                    .reduce(0) { $0 + $1.rows }
            }
            if remaining == 0 { return 0 }
            _ = try attempt { try redis.erase(site: request.site, visitors: visitors) }
            try deleteRows(visitors, archive)
        }
        return remaining
    }

    private func conclude(
        _ archive: RightsArchive,
        _ sequence: UInt64,
        remaining: Int,
        notDone: [String]
    ) throws(EraserPause) {
        guard let request else { return }
        try attempt {
            let stored = storedRequest(request.visitors)
            try archive.note(stored)
            try archive.complete(request.id)
            let found = try archive.found(request.id)
            let receipt = Receipt(
                request: request.id,
                action: request.action.rawValue,
                site: request.site,
                subjects: stored.digests.map { Hexadecimal.text($0) }.sorted(),
                requestedAt: Moment.text(request.requestedAt),
                completedAt: Moment.text(found.at ?? around.time.epochMilliseconds()),
                upToSequence: sequence,
                found: found.counts.map { Receipt.Found(store: $0.store, count: $0.rows) }
                    .sorted { $0.store < $1.store },
                remaining: remaining,
                notDone: notDone,
                wasResumed: request.isResumed
            )
            try folder.write(SignedReceipt(receipt, key: around.rights.key))
            try folder.remove(request.id)
        }
    }
}
