import Bytes
import Delivery
import Glibc
import Loop
import Rings
import Settings
import Storage
import Telemetry
import Units

/// Tells destinations of conversions: one thread that talks to PostgreSQL, one that talks to them.
///
/// Any number of forwarders may work on one outbox. Those of one data folder share a log of what was
/// sent.
final class Forwarder {
    /// What a forwarder is built from.
    struct Parts {
        let sites: [Site]
        /// Folder of the log of what was sent.
        let directory: String
        let conninfo: Secret
        let assembly: ConversionAssembly
        let makeDestination: (Site, DestinationSettings) throws -> any Destination
        let metrics: Metrics
        let time: TimeSource
        let onProblem: @Sendable (String) -> Void
        let onNote: @Sendable (String) -> Void
        /// Stands for the data folder in claims, so that forwarders know whose log knows of a claim.
        fileprivate(set) var folder = ""
        /// This forwarder in its claims and among the log's files.
        fileprivate(set) var name = ""

        init(
            sites: [Site],
            directory: String,
            conninfo: Secret,
            assembly: ConversionAssembly,
            makeDestination: @escaping (Site, DestinationSettings) throws -> any Destination,
            metrics: Metrics,
            time: TimeSource,
            onProblem: @escaping @Sendable (String) -> Void,
            onNote: @escaping @Sendable (String) -> Void
        ) {
            self.sites = sites
            self.directory = directory
            self.conninfo = conninfo
            self.assembly = assembly
            self.makeDestination = makeDestination
            self.metrics = metrics
            self.time = time
            self.onProblem = onProblem
            self.onNote = onNote
        }
    }

    private var parts: Parts
    private let mail = ForwarderMail()
    private let board: ForwarderBoard
    private let loopStop: StopSignal
    private let outboxStop: StopSignal
    private var threads: [EngineThread] = []

    init(_ parts: Parts) {
        self.parts = parts
        board = ForwarderBoard(parts.sites)
        loopStop = StopSignal(waker: mail.loopWaker)
        outboxStop = StopSignal(waker: mail.outboxWaker)
    }

    /// Starts the threads.
    func start() throws(StartError) {
        do {
            try JournalDisk.real.createDirectory(parts.directory)
            parts.folder = try FolderMark.load(in: parts.directory)
            let random = UInt64.random(in: .min ... .max)
            parts.name = "\(parts.folder)/\(getpid())-\(String(random, radix: 36))"
            try startThreads()
        } catch {
            throw StartError("the log of deliveries in \(parts.directory): \(error)")
        }
        let (board, time) = (board, parts.time)
        parts.metrics.expose { board.families(nowMilliseconds: time.epochMilliseconds()) }
    }

    private func startThreads() throws(SystemCallError) {
        let outbox = OutboxThread(
            conninfo: parts.conninfo,
            claimant: parts.name,
            mail: mail,
            stop: outboxStop,
            time: parts.time,
            onProblem: parts.onProblem
        )
        let loop = try ForwarderLoop(parts, mail: mail, stop: loopStop, board: board)
        let (outboxHandoff, loopHandoff) = (Handoff(outbox), Handoff(loop))
        threads = [
            EngineThread.start(name: "hg-forward") {
                EngineThread.yieldToOthers()
                loopHandoff.take().run()
            },
            EngineThread.start(name: "hg-outbox") {
                EngineThread.yieldToOthers()
                outboxHandoff.take().run()
            },
        ]
    }

    /// Brings other destinations into force.
    func reload(_ sites: [Site]) { board.install(sites) }

    /// Lets requests on their way have their answers, writes what became of them, and ends.
    func beginStop(deadlineMilliseconds: Int64) {
        let now = parts.time.monotonicNanoseconds()
        let whole = deadlineMilliseconds * 1_000_000
        loopStop.request(deadlineNanoseconds: now + whole / 4 * 3)
        outboxStop.request(deadlineNanoseconds: now + whole)
    }

    /// Waits for the end.
    func join(withinMilliseconds milliseconds: Int64) {
        for thread in threads { _ = thread.join(withinMilliseconds: milliseconds) }
    }
}

/// The name of a data folder's log, made once.
enum FolderMark {
    static func load(in directory: String) throws(SystemCallError) -> String {
        let path = directory + "/folder"
        if let text = try? SettingsText.read(path), !text.isEmpty { return text }
        let mark = String(UInt64.random(in: .min ... .max), radix: 36)
        var bytes = ByteBuffer(capacity: 32)
        bytes.append(text: mark)
        let disk: JournalDisk = .real(SystemCall())
        let file = try disk.open(path, .createOrReplace)
        defer { disk.close(file) }
        try disk.write(file, bytes.view, at: 0)
        try disk.synchronize(file)
        return mark
    }
}
