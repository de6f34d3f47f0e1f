import BenchLoad
import CBench
import Foundation
import Glibc

/// What the command line asked for.
struct RunSettings: Sendable {
    var load: Load
    var seconds: Double
    var warmupSeconds: Double
    var rate: Double?
    var connections: Int
    var pipeline: Int
    var visitors: Int
    var repeatsOneIn: UInt32
    var seed: UInt64
    var addressesPath: String
    var measuresFloor: Bool
    var measuresEngine: Bool
    var fractions: [Double]
    /// The one of them that freshness is stated at.
    var saturationFraction: Double
    var samplesPerSecond: Double
    var longestWaitSeconds: Double
}

/// Runs the phases in order and puts the report together.
struct Runner: ~Copyable {
    private let settings: RunSettings
    private let run: RunIdentity
    private var report: Report
    private var floorRates: [Double] = []

    /// Visitors set apart for freshness samples: at most 200 a second, none twice in 10 s.
    private static let watchedVisitors = 2_048
    /// A floor's figure settles sooner than an engine's.
    private static let floorShare = 0.5
    private static let shortestPhaseSeconds = 2.0

    init(_ settings: RunSettings) {
        self.settings = settings
        run = RunIdentity(
            seed: settings.seed,
            startedAtEpochMilliseconds: Clock.epochMilliseconds()
        )
        report = Report(
            load: settings.load.name,
            connections: settings.connections,
            pipeline: settings.pipeline,
            visitors: settings.visitors,
            seed: settings.seed,
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            averageRequestBytes: 0
        )
    }

    /// Does it all.
    consuming func runAll() throws(BenchFailure) -> Report {
        cbench_name_thread("bench-load")
        cbench_precise_timers()
        let nginx = settings.measuresFloor ? try NginxFloor() : nil
        cbench_stop_together(nginx?.process ?? 0)
        defer {
            cbench_stop_together(0)
            nginx?.stop()
        }
        if settings.measuresEngine {
            try measureEngine(nginx)
        } else if let nginx {
            try measureFloor(nginx, "floor, before")
            try measureFloor(nginx, "floor, after")
        }
        report.summarise(floorRates, freshnessAtFraction: settings.saturationFraction)
        return report
    }

    private mutating func measureFloor(
        _ nginx: NginxFloor,
        _ name: String
    ) throws(BenchFailure) {
        var loop = try makeLoop(nginx.target, origin: nil, probe: nil)
        let table = ProcessTable(
            roots: ["nginx": nginx.process, "bench": getpid()],
            families: ["nginx"]
        )
        let plan = PhasePlan(
            name: name,
            rate: settings.rate,
            warmupSeconds: settings.warmupSeconds,
            seconds: max(Self.shortestPhaseSeconds, settings.seconds * Self.floorShare),
            samplesPerSecond: 0
        )
        Console.progress("\(name): nginx return 204 for \(plan.seconds) s")
        let outcome = try loop.run(plan, usage: table.snapshot)
        let phase = PhaseReport(plan, server: "nginx", outcome, nil)
        floorRates.append(phase.batchesPerSecond)
        report.phases.append(phase)
    }
}

// MARK: - The engine

extension Runner {
    private mutating func measureEngine(_ nginx: NginxFloor?) throws(BenchFailure) {
        let addresses = try Addresses.read(settings.addressesPath)
        var engine = try EngineUnderTest.connect(addresses, settings, run)
        defer { engine.stop() }
        var loop = try makeLoop(
            try addresses.ingestTarget(),
            origin: addresses.companion,
            probe: engine.probe
        )
        if let nginx { try measureFloor(nginx, "floor, before") }
        let name = settings.rate.map { "\(Int($0)) batches/s" } ?? "flat out"
        let first = try measure(name, rate: settings.rate, &loop, &engine)
        if let nginx { try measureFloor(nginx, "floor, after") }
        for fraction in settings.fractions where first.batchesPerSecond > 0 {
            let percent = Int((fraction * 100).rounded())
            _ = try measure(
                "at \(percent) % of it",
                rate: first.batchesPerSecond * fraction,
                &loop,
                &engine
            )
        }
    }

    private mutating func measure(
        _ name: String,
        rate: Double?,
        _ loop: inout LoadLoop,
        _ engine: inout EngineUnderTest
    ) throws(BenchFailure) -> PhaseReport {
        let plan = PhasePlan(
            name: name,
            rate: rate,
            warmupSeconds: settings.warmupSeconds,
            seconds: settings.seconds,
            samplesPerSecond: settings.samplesPerSecond
        )
        let before = try engine.stores.settledFolds()
        Console.progress("\(name): engine for \(plan.seconds) s")
        let outcome = try loop.run(plan, usage: engine.processes.snapshot)
        let reconciliation = try engine.stores.reconcile(outcome, before: before)
        let watched = engine.probe?.takeOutcome()
        if let failure = watched?.failure { throw .redis(failure) }
        var phase = PhaseReport(plan, server: "engine", outcome, watched)
        phase.reconciliation = reconciliation
        phase.sustainedEventsPerSecond = reconciliation.storedAfterSeconds.map {
            rounded(Double(reconciliation.acknowledgedEvents) / $0)
        }
        report.phases.append(phase)
        return phase
    }

    private mutating func makeLoop(
        _ target: Target,
        origin: String?,
        probe: FreshnessProbe?
    ) throws(BenchFailure) -> LoadLoop {
        let renderer = Renderer(
            run: run,
            head: requestHead(target, origin: origin),
            templates: settings.load.templates
        )
        let population = Population(
            load: settings.load,
            count: settings.visitors,
            watchedCount: Self.watchedVisitors,
            run: run
        )
        report.averageRequestBytes = averageLength(renderer, settings.load.sampleRecipes())
        let repeats = Repeats(oneIn: settings.repeatsOneIn, seed: settings.seed)
        return try LoadLoop(
            target: target,
            renderer: renderer,
            population: population,
            repeats: repeats,
            probe: probe,
            connections: settings.connections,
            depth: settings.pipeline
        )
    }

    private func averageLength(_ renderer: borrowing Renderer, _ recipes: [Recipe]) -> Double {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: renderer.longestRequest)
        defer { buffer.deallocate() }
        let now = Clock.epochMilliseconds()
        let total = recipes.reduce(0) {
            $0 + renderer.render($1, nowEpochMilliseconds: now, to: buffer)
        }
        return rounded(Double(total) / Double(max(1, recipes.count)))
    }

    /// What a browser sends along with the SDK's fetch.
    private func requestHead(_ target: Target, origin: String?) -> String {
        let origin = origin ?? "http://\(target.host):\(target.port)"
        return "POST /v1/e HTTP/1.1\r\n"
            + "Host: \(target.host):\(target.port)\r\n"
            + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
            + "(KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n"
            + "Accept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\n"
            + "Origin: \(origin)\r\nReferer: \(origin)/\r\n"
            + "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: "
    }
}
