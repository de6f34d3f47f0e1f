import Delivery
import Logging
import Settings
import Telemetry

/// The forwarder of a program, there from the moment that some site has a destination. Owned by the
/// main thread.
final class Forwarding {
    private let directory: String
    private let conninfo: Secret
    private let metrics: Metrics
    private let log: Logger
    private var forwarder: Forwarder?
    private var sites: [Site] = []

    /// A forwarder for the data folder `directory`, which has not begun.
    init(directory: String, conninfo: Secret, metrics: Metrics, log: Logger) {
        self.directory = directory
        self.conninfo = conninfo
        self.metrics = metrics
        self.log = log
    }

    /// Brings the destinations of `next` into force; begins when there is a first one.
    func look(at next: [Site]) throws(StartError) {
        guard next != sites else { return }
        sites = next
        if let forwarder { return forwarder.reload(next) }
        guard next.contains(where: { !$0.destinations.isEmpty }) else { return }
        let made = Forwarder(parts)
        try made.start()
        forwarder = made
    }

    private var parts: Forwarder.Parts {
        let log = log
        let seals = Owned(SealOpener(SealKeys(data: directory)))
        return Forwarder.Parts(
            sites: sites,
            directory: directory + "/deliveries",
            conninfo: conninfo,
            assembly: ConversionAssembly { block, site, visitor in
                seals.value.open(block, site: site, visitor: visitor)
            },
            makeDestination: { site, settings in try Destinations.make(site, settings) },
            metrics: metrics,
            time: .real,
            onProblem: { log.warning("\($0)") },
            onNote: { log.info("\($0)") }
        )
    }

    /// Says so when there is nobody to tell.
    func warnWhenIdle() {
        if forwarder == nil { log.warning("no site has a destination: nothing to forward yet") }
    }

    /// Lets requests on their way have their answers.
    func beginStop() {
        forwarder?.beginStop(deadlineMilliseconds: Int64(Limits.forwarderStopMilliseconds))
    }

    /// Waits for the end of what `beginStop` began.
    func join() {
        forwarder?.join(withinMilliseconds: Int64(Limits.forwarderStopMilliseconds) + 200)
        forwarder = nil
    }
}
