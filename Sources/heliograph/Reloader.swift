import Admission
import Glibc
import Intake
import Logging
import Scoring
import Settings
import Telemetry

/// Brings changed settings into force without a restart: on SIGHUP, and when a file has changed.
///
/// A file with a mistake changes nothing; its problems are logged with file, line and reason, and the
/// next change is looked at again. Owned by the main thread.
final class Reloader {
    private let path: String?
    private let board: EdgeBoard
    private let limiter: RateLimiter
    private let log: Logger
    private let counters: CounterBlock
    private var current: HeliographSettings
    private var lists: EdgeLists
    private var stamps: [FileStamp]
    /// Hands a scoring file to the engine; nil before it runs.
    var onScoring: ((ScoringSource) -> ModelTimeline.Proposal)?
    /// A scoring file that has to wait for the one before.
    private var waiting: ScoringSource?

    init(
        path: String?,
        current: HeliographSettings,
        lists: EdgeLists,
        board: EdgeBoard,
        limiter: RateLimiter,
        metrics: Metrics,
        log: Logger
    ) {
        self.path = path
        self.current = current
        self.lists = lists
        self.board = board
        self.limiter = limiter
        self.log = log
        counters = metrics.makeBlock(thread: "hg-main")
        stamps = Self.stamps(path, current)
    }

    /// The sites in force.
    var sites: [Site] { current.sites }

    /// Looks whether a file has changed. Called once a second.
    func tick() {
        if let waiting { bringIn(waiting) }
        let now = Self.stamps(path, current)
        guard now != stamps else { return }
        reload()
    }

    /// Reads the settings again and puts them into force if nothing is wrong with them.
    func reload() {
        // Before reading: what changes meanwhile is seen at the next look.
        stamps = Self.stamps(path, current)
        do {
            let next = try HeliographSettings.load(path: path)
            let scoring = try ScoringSource(path: next.scoringFile)
            let nextLists = try EdgeLists(next.enrichment, unchangedFrom: lists)
            let tls = try next.ingest.edge.loadCertificates()
            lists = nextLists
            install(next, tls)
            bringIn(scoring)
        } catch {
            counters.add(.reloadsRefused)
            log.error("the settings have mistakes; nothing has changed")
            for problem in Self.problems(error) { log.error("\(problem)") }
        }
    }

    /// Lets a scoring file come into force, unless it is.
    func bringIn(_ scoring: ScoringSource) {
        waiting = nil
        switch onScoring?(scoring) {
        case nil, .isInForce: break
        case .willCome: log.info("scores go by model \(scoring.model.name) from now on")
        case .isBusy: waiting = scoring
        case .needsStart:
            log.warning(
                """
                restart to bring \(scoring.path) into force: half-lives, stages or categories have \
                changed, and the past must be folded anew
                """
            )
        }
    }

    private static func problems(_ error: any Error) -> [String] {
        (error as? SettingsError)?.problems.map(\.description) ?? ["\(error)"]
    }

    private func install(_ next: HeliographSettings, _ tls: TLSContext?) {
        for warning in tls?.warnings ?? [] { log.warning("\(warning)") }
        board.install(Edge(next, lists, limiter, tls: tls))
        counters.add(.reloads)
        let fixed = next.fixedParts(differingFrom: current)
        current = next
        stamps = Self.stamps(path, next)
        log.info("settings reloaded, version \(next.version), \(next.sites.count) sites")
        if !fixed.isEmpty {
            log.warning("restart to bring these into force: \(fixed.joined(separator: ", "))")
        }
    }

    private static func stamps(_ path: String?, _ settings: HeliographSettings) -> [FileStamp] {
        let certificates = settings.ingest.edge.tls?.certificates ?? []
        let files = certificates.flatMap { [$0.certificate, $0.key] }
        let own = [path ?? HeliographSettings.defaultPath, settings.scoringFile]
        return (own + files).map(FileStamp.init)
            + EdgeLists.stamps(settings.enrichment)
    }
}

/// A scoring file as it was read, checked.
struct ScoringSource {
    let path: String
    let text: String
    let model: ScoringModel

    init(path: String) throws(SettingsError) {
        self.path = path
        text = try SettingsText.read(path)
        model = ScoringModel(try ScoringFile.parse(text, file: path))
    }
}

/// By what a changed file is told from the one that was read.
struct FileStamp: Equatable {
    private let modifiedSeconds: Int
    private let modifiedNanoseconds: Int
    private let bytes: Int
    private let inode: UInt

    /// The stamp of the file at `path`; all zeros when there is none.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            (modifiedSeconds, modifiedNanoseconds, bytes, inode) = (0, 0, 0, 0)
            return
        }
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
        bytes = Int(status.st_size)
        inode = UInt(status.st_ino)
    }
}
