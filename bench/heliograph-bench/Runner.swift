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
    var arrivals: Arrivals
    /// How many times the flat-out rate is offered at the end; 0 leaves it out.
    var overload: Double
    /// Connections that it comes over.
    var crowd: Int
    var renewedFraction: Double
    var encryptedFraction: Double
    /// Another server's address, loaded in place of an engine.
    var server: String?
    /// What is accounted for beside it.
    var processes: [Bench.ProcessName]
}

/// Runs the phases in order and puts the report together.
struct Runner: ~Copyable {
    let settings: RunSettings
    private let run: RunIdentity
    var report: Report
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
        report = Report(settings)
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
        if let server = settings.server {
            try measureServer(server)
        } else if settings.measuresEngine {
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
        var loop = try makeLoop(nginx.target, LoopParts(run: run))
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
        var parts = LoopParts(run: run)
        parts.origin = addresses.companion
        parts.probe = engine.probe
        parts.secureTarget = try addresses.secureTarget()
        var loop = try makeLoop(try addresses.ingestTarget(), parts)
        if let nginx { try measureFloor(nginx, "floor, before") }
        let name = settings.rate.map { "\(Int($0)) batches/s" } ?? "flat out"
        let first = try measure(plan(name, rate: settings.rate), &loop, &engine)
        report.phases.append(first)
        if let nginx { try measureFloor(nginx, "floor, after") }
        for fraction in settings.fractions where first.batchesPerSecond > 0 {
            let percent = Int((fraction * 100).rounded())
            let rate = first.batchesPerSecond * fraction
            let phase = try measure(plan("at \(percent) % of it", rate: rate), &loop, &engine)
            report.phases.append(phase)
        }
        if settings.overload > 0, first.batchesPerSecond > 0 {
            parts.becomeACrowd(of: settings.crowd)
            cbench_allow_files()
            var crowd = try makeLoop(try addresses.ingestTarget(), parts)
            try measureOverload(first.batchesPerSecond, &crowd, &engine)
        }
    }

    /// Offers more than the engine can take, from many people at once, who do not come again. What
    /// it can take is looked for with the crowd too: more in flight makes larger groups.
    private mutating func measureOverload(
        _ flatOut: Double,
        _ crowd: inout LoadLoop,
        _ engine: inout EngineUnderTest
    ) throws(BenchFailure) {
        var most = plan("flat out, a crowd", rate: nil)
        most.givesUp = true
        report.phases.append(try measure(most, &crowd, &engine))
        let capacity = max(flatOut, report.phases.last?.batchesPerSecond ?? 0)
        var plan = plan("\(settings.overload) x overload", rate: capacity * settings.overload)
        plan.givesUp = true
        var phase = try measure(plan, &crowd, &engine)
        phase.ofCapacity = rounded(phase.batchesPerSecond / capacity)
        report.phases.append(phase)
    }

    private func plan(_ name: String, rate: Double?) -> PhasePlan {
        PhasePlan(
            name: name,
            rate: rate,
            warmupSeconds: settings.warmupSeconds,
            seconds: settings.seconds,
            samplesPerSecond: settings.samplesPerSecond,
            arrivals: settings.arrivals
        )
    }

    private func measure(
        _ plan: PhasePlan,
        _ loop: inout LoadLoop,
        _ engine: inout EngineUnderTest
    ) throws(BenchFailure) -> PhaseReport {
        let before = try engine.stores.settledFolds()
        Console.progress("\(plan.name): engine for \(plan.seconds) s")
        let outcome = try loop.run(plan, usage: engine.processes.snapshot)
        let reconciliation = try engine.stores.reconcile(outcome, before: before)
        let watched = engine.probe?.takeOutcome()
        if let failure = watched?.failure { throw .redis(failure) }
        var phase = PhaseReport(plan, server: "engine", outcome, watched)
        phase.reconciliation = reconciliation
        phase.sustainedEventsPerSecond = reconciliation.storedAfterSeconds.map {
            rounded(Double(reconciliation.acknowledgedEvents) / $0)
        }
        return phase
    }
}

// MARK: - Another server

extension Runner {
    /// Gives a server that is no engine the same bodies. Nothing can be compared with its stores.
    private mutating func measureServer(_ address: String) throws(BenchFailure) {
        let target = try Addresses.target(address, scheme: "http")
        var loop = try makeLoop(target, LoopParts(run: run))
        var table = ProcessTable(roots: ["bench": getpid()])
        for each in settings.processes {
            table.roots[each.name] = each.process
            table.families.insert(each.name)
        }
        let name = settings.rate.map { "\(Int($0)) batches/s" } ?? "flat out"
        var plan = plan(name, rate: settings.rate)
        plan.samplesPerSecond = 0
        Console.progress("\(name): \(address) for \(plan.seconds) s")
        let outcome = try loop.run(plan, usage: table.snapshot)
        report.phases.append(PhaseReport(plan, server: "other", outcome, nil))
    }
}

// MARK: - The load

/// What a loop needs beside the settings.
struct LoopParts {
    var run: RunIdentity
    /// What the requests say that their page came from.
    var origin: String?
    var probe: FreshnessProbe?
    var secureTarget: Target?
    /// As the settings say, unless it is a crowd.
    var connections: Int?
    var depth: Int?

    init(run: RunIdentity) { self.run = run }

    /// New windows, because the old ones' numbers are taken, and so many requests in flight that
    /// the server and not the meter decides what is refused.
    mutating func becomeACrowd(of connections: Int) {
        run = RunIdentity(
            seed: run.givenSeed,
            startedAtEpochMilliseconds: Clock.epochMilliseconds()
        )
        self.connections = connections
        depth = Self.crowdDepth
    }

    /// Whatever is in flight beyond the first on a connection waits in the kernel.
    static let crowdDepth = 2
}

extension Runner {

    private mutating func makeLoop(
        _ target: Target,
        _ parts: LoopParts
    ) throws(BenchFailure) -> LoadLoop {
        let renderer = Renderer(
            run: parts.run,
            head: requestHead(target, origin: parts.origin),
            templates: settings.load.templates
        )
        let population = Population(
            load: settings.load,
            count: settings.visitors,
            watchedCount: Self.watchedVisitors,
            run: parts.run
        )
        report.averageRequestBytes = averageLength(renderer, settings.load.sampleRecipes())
        let repeats = Repeats(oneIn: settings.repeatsOneIn, seed: settings.seed)
        return try LoadLoop(
            target: target,
            renderer: renderer,
            population: population,
            repeats: repeats,
            probe: parts.probe,
            mix: try ConnectionMix(settings, secureTarget: parts.secureTarget),
            connections: parts.connections ?? settings.connections,
            depth: parts.depth ?? settings.pipeline
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
