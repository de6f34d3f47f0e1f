import ArgumentParser
import Bytes
import Companion
import Records
import Scoring
import Storage
import Units

/// `heliograph rebuild`
struct RebuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Write Redis anew from checkpoints, the journal and PostgreSQL's rows.",
        discussion: """
            With the engine stopped, the past is folded anew, checkpoints are written, and Redis is \
            emptied and filled. With the engine running, it is made to write everything it knows \
            again; ingest goes on. Deliveries are never touched, so nothing is sent twice. Redis that \
            was flushed, restored from an older snapshot or replaced needs no command: the engine \
            notices within ten seconds.
            """
    )

    enum Source: String, ExpressibleByArgument, CaseIterable {
        case checkpoints, journal, rows
    }

    @OptionGroup var place: EnginePlace

    @Option(
        help: """
            What to begin with: checkpoints, journal (its first record; only while it reaches back to \
            the beginning), or rows of PostgreSQL. Without it the surest that there is.
            """
    )
    var from: Source?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        do {
            let stores = try DataStores(data: place.data, config: place.config)
            defer { stores.close() }
            let result = try stores.isEngineRunning ? renew(stores) : rebuild(stores)
            Console.line(json ? result.json : result.text)
        } catch {
            Console.fail("nothing could be rebuilt: \(error)", status: 1)
        }
    }

    // MARK: - The engine runs

    /// Takes the positions out of Redis: the engine then writes every visitor, and positions last.
    private func renew(_ stores: DataStores) throws -> RebuildResult {
        guard from == nil else {
            throw CommandError("--from needs the engine stopped: its memory is what is written now")
        }
        var progress = ProgressBar(isSilent: json)
        let scan = try LiveModelScan(
            url: stores.redisURL,
            keyPrefix: stores.settings.redis.keyPrefix
        )
        let before = try scan.positions(count: Partition.count)
        let wanted = before.filter { $0 > 0 }.count
        try scan.forgetPositions(count: Partition.count)
        progress.begin("waiting for the engine", unit: "partitions", total: wanted)
        let deadline = Pause.monotonicMilliseconds() + 600_000
        while true {
            let now = try scan.positions(count: Partition.count)
            let back = zip(now, before).filter { $1 > 0 && $0 >= $1 }.count
            progress.update(back)
            if back == wanted { break }
            guard Pause.monotonicMilliseconds() < deadline else {
                throw CommandError("the engine did not write Redis anew within ten minutes")
            }
            Pause.milliseconds(100)
        }
        progress.end(wanted)
        return RebuildResult(running: wanted)
    }

    // MARK: - The engine is stopped

    private func rebuild(_ stores: DataStores) throws -> RebuildResult {
        let progress = Owned(ProgressBar(isSilent: json))
        let models = try stores.models()
        let rows = try EventRows(conninfo: stores.conninfo)
        let fold = try OfflineFold(stores, rows, models: models, preferring: origin) {
            progress.value.update($0)
        }
        let learned = try stores.learned.newest(models.latest)
        fold.folds.wantExamples(from: learned.through + 1)
        let begun = Pause.monotonicMilliseconds()
        progress.value.begin("folding", unit: "records", total: try total(fold, rows))
        // What PostgreSQL lacks is worked out from where the rows end: that place must be kept too.
        try fold.run(betweenSources: {
            if fold.origin == .rows { try save(fold.folds, stores, rows) }
        }) { _ in }
        progress.value.end(fold.report.records)
        try save(fold.folds, stores, rows)
        let prefix = stores.settings.redis.keyPrefix
        let removed = try LiveModelScan(url: stores.redisURL, keyPrefix: prefix).clear()
        progress.value.begin("writing Redis", unit: "visitors", total: fold.folds.size.visitors)
        let restore = LiveRestore(
            redisURL: stores.redisURL,
            keyPrefix: prefix,
            learned: learned
        )
        let written = try restore.write(fold.folds) { progress.value.update($0) }
        progress.value.end(written)
        let seconds = Double(Pause.monotonicMilliseconds() - begun) / 1_000
        return RebuildResult(fold, removed: removed, written: written, seconds: seconds)
    }

    private var origin: OfflineFold.Origin? {
        switch from {
        case .checkpoints, nil: .checkpoints
        case .journal: .beginning
        case .rows: .rows
        }
    }

    private func total(_ fold: OfflineFold, _ rows: EventRows) throws -> Int {
        fold.estimatedRecords + (fold.origin == .rows ? try rows.estimatedCount() : 0)
    }

    private func save(_ folds: FoldSet, _ stores: DataStores, _ rows: EventRows) throws {
        let archived = try rows.positions()
        var buffer = ByteBuffer(capacity: 1 << 20, limit: 1 << 30)
        for partition in folds.partitions {
            let fold = folds.fold(partition)
            guard fold.value.offset > 0 else { continue }
            buffer.reset()
            folds.serialize(partition, into: &buffer)
            try stores.checkpoints.save(
                partition,
                offset: fold.value.offset,
                content: buffer.view,
                archived: archived[Int(partition.index)]
            )
        }
    }
}

/// What a rebuild did, and what it could not bring back.
struct RebuildResult: Encodable {
    private var from = "the running engine"
    private var records = 0
    private var recordsFromRows = 0
    private var recordsMissing: UInt64 = 0
    private var journalDamage = 0
    private var keysRemoved = 0
    private var visitorsWritten = 0
    private var seconds = 0.0
    private var lost: [String] = []
    private var partitions = 0

    init(running partitions: Int) { self.partitions = partitions }

    init(_ fold: OfflineFold, removed: Int, written: Int, seconds: Double) {
        from = fold.origin.rawValue
        records = fold.report.records
        recordsFromRows = fold.report.recordsFromRows
        recordsMissing = fold.report.recordsMissing
        journalDamage = fold.report.damageCount
        (keysRemoved, visitorsWritten, self.seconds) = (removed, written, seconds)
        if fold.origin == .rows { lost = Self.notInRows }
        if recordsMissing > 0 {
            lost.append(
                "\(recordsMissing) records that had left the journal before PostgreSQL took them"
            )
        }
        if journalDamage > 0 {
            lost.append("\(journalDamage) damaged places, see `heliograph journal verify`")
        }
    }

    /// What PostgreSQL's rows do not tell of the records that they came from.
    private static let notInRows = [
        "rows erased or dropped since, with what they did to scores",
        "of rows stored before version 5 of the schema: whether the visitor used a finger, and "
            + "withdrawals of every consent",
    ]

    var json: String { jsonText }

    var text: String {
        guard partitions == 0 else {
            return "the running engine has written \(partitions) partitions to Redis anew"
        }
        var lines = [
            "rebuilt from \(from) in \(Self.rounded(seconds)) s: "
                + "\(ProgressBar.grouped(records)) records folded, "
                + "\(ProgressBar.grouped(recordsFromRows)) of them from rows",
            "  Redis: \(ProgressBar.grouped(keysRemoved)) keys removed, "
                + "\(ProgressBar.grouped(visitorsWritten)) visitors written",
        ]
        if lost.isEmpty { return (lines + ["  nothing is missing"]).joined(separator: "\n") }
        lines.append("  What cannot come back:")
        lines += lost.map { "    \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
}
