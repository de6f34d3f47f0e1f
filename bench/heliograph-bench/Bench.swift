import ArgumentParser
import BenchLoad
import Foundation
import Glibc

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heliograph-bench",
        abstract: "Loads a running Heliograph engine on this machine and measures it.",
        discussion: """
            Start the engine with ./deploy/run, then for example:

              heliograph-bench --load real --seconds 20 --floor --json real.json

            The engine is loaded flat out first, then at 70 % of what it took. Every beacon goes \
            over HTTP/1.1 keep-alive; every event is new, but for the 2 % of batches that repeat \
            an acknowledged one. At the end the acknowledged events are compared with the rows \
            in PostgreSQL and with what the engine folded.

            Freshness: from the send of a beacon until Redis shows it folded.
            Floor: nginx answering the same POSTs with 204, before and after the engine.
            Sustained: first-time events over the time until PostgreSQL had them all.
            CPU: processor time of each process over acknowledged batches.

            Any other HTTP server can be given the same bodies, without a comparison of stores:

              heliograph-bench --server http://127.0.0.1:8000 --process peer=4711

            A run takes (warm-up + seconds) for each phase and what the stores need after it, \
            at most --wait each. bench/README.md says more.

            Exit status: 0 when every figure agrees; 1 when one does not, or nothing was \
            acknowledged, or a store cannot be reached; 64 for a wrong option.
            """
    )

    enum LoadName: String, ExpressibleByArgument, CaseIterable { case plain, real }
    enum ArrivalsName: String, ExpressibleByArgument, CaseIterable { case even, poisson }

    @Option(help: "plain: batches of ten small custom events. real: the SDK's own mix.")
    var load: LoadName = .real

    @Option(help: "Measured seconds of each phase; the floor takes half of it, twice.")
    var seconds: Double = 20

    @Option(help: "Seconds of load before measuring starts, in each phase.")
    var warmup: Double = 2

    @Option(help: "Batches per second in an open loop, instead of flat out and 70 %.")
    var rate: Double?

    @Option(help: "Open loop: equal steps (even), or bunched as independent people are (poisson).")
    var arrivals: ArrivalsName = .even

    @Option(help: "After the other phases, offer so many times the flat-out rate; 0 leaves it out.")
    var overload: Double = 0

    @Option(help: "Keep-alive connections.")
    var connections: Int = 64

    @Option(help: "Requests in flight on each connection.")
    var pipeline: Int = 1

    @Option(help: "Connections of the overload phases, with two requests in flight on each.")
    var crowd: Int = 6_144

    @Option(help: "Part of the requests that come over a new connection each, from 0 to 1.")
    var newConnections: Double = 0

    @Option(help: "Part of the connections that are encrypted, from 0 to 1; needs ingest.tls.")
    var tls: Double = 0

    @Option(help: "Visitors who take turns, up to ten million.")
    var visitors: Int = 100_000

    @Option(help: "Per cent of batches that repeat an acknowledged one.")
    var repeats: Double = 2

    @Flag(help: "Measure nginx return 204 in the same run, and print the ratio.")
    var floor = false

    @Flag(help: "Measure nginx alone; needs no engine.")
    var floorOnly = false

    @Flag(help: "After the flat-out phase run at 10, 50, 70 and 90 % of it.")
    var findSaturation = false

    @Option(help: "Part of the flat-out rate that freshness is stated at; 0 leaves it out.")
    var saturationFraction: Double = 0.7

    @Option(help: "Beacons watched on their way into Redis, per second; at most 200.")
    var samples: Double = 100

    @Option(help: "Load this HTTP server on this machine instead of an engine.")
    var server: String?

    @Option(help: "With --server: NAME=PID of a process to account for, with its children.")
    var process: [ProcessName] = []

    @Option(help: "Where the running engine says how to reach it.")
    var addresses: String = "var/addresses.json"

    @Option(help: "Seconds to wait for the stores after each phase.")
    var wait: Double = 120

    @Option(help: "Which visitors take part: the same number gives the same visitors again.")
    var seed: UInt64 = 1

    @Option(help: "Write the whole report to this file as JSON; - is standard output.")
    var json: String?

    func validate() throws {
        try check(seconds > 0 && seconds <= 86_400, "--seconds must be above 0 and at most 86400")
        try check(warmup >= 0 && warmup <= 600, "--warmup must be from 0 to 600")
        try check((1...4_096).contains(connections), "--connections must be from 1 to 4096")
        try check((1...32).contains(pipeline), "--pipeline must be from 1 to 32")
        try check((0...50).contains(repeats), "--repeats must be from 0 to 50")
        try check((0...200).contains(samples), "--samples must be from 0 to 200")
        try check((0...1).contains(saturationFraction), "--saturation-fraction is from 0 to 1")
        try check((0...3_600).contains(wait), "--wait must be from 0 to 3600")
        try check(rate.map { $0 > 0 && $0 <= 10_000_000 } ?? true, "--rate must be above 0")
        try check(
            (1...10_000_000).contains(visitors - 4_096 - connections * pipeline),
            "--visitors must be well above the requests in flight: 10000 or more will do"
        )
        try check(
            !(floor && rate != nil),
            "--floor compares flat-out rates; leave --rate out of it"
        )
        try check((0...1).contains(newConnections), "--new-connections is from 0 to 1")
        try check((0...1).contains(tls), "--tls is from 0 to 1")
        try check(overload == 0 || (1...20).contains(overload), "--overload is from 1 to 20")
        try check((1...16_384).contains(crowd), "--crowd is from 1 to 16384")
        try check(
            overload == 0 || visitors > 4_096 + crowd * LoopParts.crowdDepth,
            "--visitors must be more than what a crowd has in flight"
        )
        try check(overload == 0 || rate == nil, "--overload starts from the flat-out rate")
        try check(
            server == nil || !(floor || floorOnly || tls > 0 || overload > 0),
            "--server goes without --floor, --tls and --overload"
        )
    }

    func run() throws {
        let report: Report
        do {
            report = try Runner(try settings()).runAll()
        } catch {
            Console.progress("\(error)")
            throw ExitCode.failure
        }
        try write(report)
        let acknowledged = report.phases.contains { $0.batchesPerSecond > 0 }
        let comparesNothing = floorOnly || server != nil
        guard acknowledged, report.reconciled ?? comparesNothing else { throw ExitCode.failure }
    }

    private func write(_ report: Report) throws {
        if json != "-" { Console.result(Table.text(of: report)) }
        guard let json else { return }
        let data = try report.json()
        if json == "-" {
            Console.result(String(decoding: data, as: UTF8.self))
        } else {
            try data.write(to: URL(fileURLWithPath: json))
        }
    }

    private func settings() throws(BenchFailure) -> RunSettings {
        RunSettings(
            load: try chosenLoad(),
            seconds: seconds,
            warmupSeconds: warmup,
            rate: rate,
            connections: connections,
            pipeline: pipeline,
            visitors: visitors,
            repeatsOneIn: repeats > 0 ? UInt32(100 / repeats) : 0,
            seed: seed,
            addressesPath: addresses,
            measuresFloor: floor || floorOnly,
            measuresEngine: !floorOnly,
            fractions: fractions,
            saturationFraction: saturationFraction,
            samplesPerSecond: samples,
            longestWaitSeconds: wait,
            arrivals: arrivals == .even ? .even : .poisson,
            overload: overload,
            crowd: crowd,
            renewedFraction: newConnections,
            encryptedFraction: tls,
            server: server,
            processes: process
        )
    }

    private var fractions: [Double] {
        if rate != nil { return [] }
        if findSaturation { return [0.1, 0.5, 0.7, 0.9] }
        return saturationFraction > 0 ? [saturationFraction] : []
    }

    private func chosenLoad() throws(BenchFailure) -> Load {
        do {
            switch load {
            case .plain: return try Load.plain()
            case .real: return try Load.real()
            }
        } catch {
            throw .templates("\(error)")
        }
    }

    /// A process to account for, as `NAME=PID`.
    struct ProcessName: ExpressibleByArgument, Sendable {
        var name: String
        var process: Int32

        init?(argument: String) {
            let parts = argument.split(separator: "=")
            guard parts.count == 2, let process = Int32(parts[1]), process > 0 else { return nil }
            (name, self.process) = (String(parts[0]), process)
        }
    }

    private func check(_ condition: Bool, _ reason: String) throws {
        if !condition { throw ValidationError(reason) }
    }
}
