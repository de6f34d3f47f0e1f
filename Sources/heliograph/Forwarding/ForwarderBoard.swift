import Delivery
import Settings
import Storage
import Synchronization
import Telemetry

/// How a destination is, as of a moment ago.
struct DestinationReading: Sendable {
    let name: LaneName
    let counts: DestinationCounts
    let state: String
    let code: String
    let reason: String
    let held: Int

    init(_ lane: DestinationLane, nowMilliseconds now: Int64) {
        name = lane.name
        counts = lane.counts
        held = lane.lane.held
        let gate = lane.lane.gate
        if let stopped = gate.stopped {
            (state, code, reason) = ("stopped", stopped.code, stopped.reason)
        } else if lane.settings.isPaused {
            (state, code, reason) = ("paused", "", "paused in the settings")
        } else if gate.failures > 0 && !gate.isOpen(at: now) {
            (state, code, reason) = ("failing", "", "does not answer as it should")
        } else if !gate.isOpen(at: now) {
            (state, code, reason) = ("paused", gate.pauseCode, "asked for rest")
        } else {
            (state, code, reason) = ("open", "", "")
        }
    }
}

/// What a forwarder's threads share with the rest of the program: the sites in force go in, how
/// destinations are comes out.
final class ForwarderBoard: Sendable {
    private struct Content {
        var version = 0
        var sites: [Site]
        var readings: [DestinationReading] = []
        var backlog: [OutboxBacklog] = []
        var reported: [LaneName: DestinationState] = [:]
    }

    private let content: Mutex<Content>

    init(_ sites: [Site]) { content = Mutex(Content(sites: sites)) }

    /// The sites in force, and a number that changes with them.
    var sites: (version: Int, sites: [Site]) { content.withLock { ($0.version, $0.sites) } }

    /// Brings other sites into force.
    func install(_ sites: [Site]) {
        content.withLock { content in
            content.version += 1
            content.sites = sites
        }
    }

    /// Publishes how destinations are.
    func publish(_ readings: [DestinationReading], backlog: [OutboxBacklog]) {
        content.withLock { content in
            content.readings = readings
            content.backlog = backlog
        }
    }

    /// States that are others than when this was last asked.
    func changedStates() -> [DestinationState] {
        content.withLock { content in
            content.readings.compactMap { reading in
                let state = DestinationState(
                    site: reading.name.site,
                    destination: reading.name.destination,
                    state: reading.state,
                    code: reading.code,
                    reason: reading.reason
                )
                guard content.reported[reading.name] != state else { return nil }
                content.reported[reading.name] = state
                return state
            }
        }
    }

    // MARK: - Metrics

    /// The metrics, a family each. `nowMilliseconds` is wall-clock time.
    func families(nowMilliseconds now: Int64) -> [MetricFamily] {
        let (readings, backlog) = content.withLock { ($0.readings, $0.backlog) }
        let counters = Self.counters.map { metric, help, value in
            MetricFamily(
                metric: "heliograph_delivery_\(metric)",
                kind: .counter,
                help: help,
                samples: readings.map { ($0.labels, Int64(value($0.counts))) }
            )
        }
        return counters + gauges(readings, backlog, now)
    }

    private func gauges(
        _ readings: [DestinationReading],
        _ backlog: [OutboxBacklog],
        _ now: Int64
    ) -> [MetricFamily] {
        [
            MetricFamily(
                metric: "heliograph_destination_open",
                kind: .gauge,
                help: "1 while the destination is sent to, 0 while it rests or is stopped.",
                samples: readings.map { ($0.labels, $0.state == "open" ? 1 : 0) }
            ),
            MetricFamily(
                metric: "heliograph_destination_stopped",
                kind: .gauge,
                help: "1 when the destination's credentials were refused.",
                samples: readings.map { ($0.labels, $0.state == "stopped" ? 1 : 0) }
            ),
            MetricFamily(
                metric: "heliograph_delivery_waiting",
                kind: .gauge,
                help: "Deliveries that are due or will be.",
                samples: backlog.map { ($0.labels, Int64($0.waiting)) }
            ),
            MetricFamily(
                metric: "heliograph_delivery_oldest_seconds",
                kind: .gauge,
                help: "How long the oldest waiting delivery has waited.",
                samples: backlog.map { ($0.labels, max(0, now - $0.oldestAtMilliseconds) / 1_000) }
            ),
        ]
    }

    private static let counters: [(String, String, @Sendable (DestinationCounts) -> Int)] = [
        ("requests_total", "Requests made.", { $0.requests }),
        ("sent_total", "Conversions in requests, repetitions included.", { $0.sent }),
        ("accepted_total", "Conversions that the platform took.", { $0.delivered }),
        ("refused_total", "Conversions that ended refused.", { $0.refused }),
        ("expired_total", "Conversions that became too old.", { $0.expired }),
        ("withheld_total", "Conversions that consent or a rule kept back.", { $0.withheld }),
        ("in_doubt_total", "Conversions of which nobody knows.", { $0.inDoubt }),
        ("retried_total", "Times that a conversion was put back to be sent again.", { $0.retried }),
        ("held_total", "Conversions held for an operator.", { $0.held }),
        ("pauses_total", "Answers that asked for rest.", { $0.pauses }),
    ]
}

extension DestinationReading {
    fileprivate var labels: [(String, String)] {
        [("site", name.site), ("destination", name.destination)]
    }
}

extension OutboxBacklog {
    fileprivate var labels: [(String, String)] {
        [("site", site), ("destination", destination)]
    }
}
