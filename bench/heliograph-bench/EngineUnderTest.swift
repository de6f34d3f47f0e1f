import BenchLoad
import Glibc

/// Everything that is looked at while an engine is under load.
struct EngineUnderTest: ~Copyable {
    let stores: Stores
    let probe: FreshnessProbe?
    let processes: ProcessTable

    /// Connects to the stores of a running engine.
    static func connect(
        _ addresses: Addresses,
        _ settings: RunSettings,
        _ run: RunIdentity
    ) throws(BenchFailure) -> EngineUnderTest {
        guard let postgres = addresses.postgres else {
            throw .addresses("no postgres in it, so nothing can be reconciled")
        }
        let metrics = MetricsPage(target: try addresses.ingestTarget())
        var processes = ProcessTable(roots: ["bench": getpid()])
        processes.roots["engine"] = addresses.pid
        let probe = try makeProbe(addresses, settings, run, &processes)
        let table = try EventTable.connect(postgres)
        if let postmaster = ProcessTable.parent(of: table.backendProcess) {
            processes.roots["postgres"] = postmaster
            processes.families.insert("postgres")
        }
        let stores = Stores(
            table: table,
            metrics: metrics,
            longestWaitSeconds: settings.longestWaitSeconds
        )
        return EngineUnderTest(stores: stores, probe: probe, processes: processes)
    }

    /// Ends the probe's thread.
    func stop() { probe?.stop() }

    private static func makeProbe(
        _ addresses: Addresses,
        _ settings: RunSettings,
        _ run: RunIdentity,
        _ processes: inout ProcessTable
    ) throws(BenchFailure) -> FreshnessProbe? {
        guard let url = addresses.redis else { return nil }
        guard let address = RedisAddress(url) else {
            throw .addresses("redis is neither unix:///path nor redis://host:port: \(url)")
        }
        processes.roots["redis"] = try RedisReader.connect(address).serverProcess()
        guard settings.samplesPerSecond > 0 else { return nil }
        return try FreshnessProbe(address: address, run: run)
    }
}
