import Settings
import Synchronization
import Telemetry

/// How often each tracking link was followed. Shared by all listeners; a click is rare enough for a
/// lock. There are as many counts as there have been links in the settings, up to a limit.
final class LinkClicks: Sendable {
    private struct Key: Hashable {
        let site: String
        let link: String
        let isProgram: Bool
    }

    private let counts = Mutex<[Key: Int64]>([:])

    /// Shows the counts in `metrics`.
    init(_ metrics: Metrics) {
        metrics.expose { [weak self] in
            [
                MetricFamily(
                    metric: "heliograph_link_clicks_total",
                    kind: .counter,
                    help:
                        "Tracking links followed, by people and by programs such as link previews.",
                    samples: self?.samples ?? []
                )
            ]
        }
    }

    /// Counts that somebody followed `link`.
    func add(_ link: TrackingLink, isProgram: Bool) {
        let key = Key(site: link.site, link: link.name, isProgram: isProgram)
        counts.withLock { counts in
            guard counts[key] != nil || counts.count < Limits.linksCountedMaximum else { return }
            counts[key, default: 0] += 1
        }
    }

    private var samples: [(labels: [(String, String)], value: Int64)] {
        counts.withLock { $0 }.map { key, count in
            let by = key.isProgram ? "program" : "person"
            return ([("site", key.site), ("link", key.link), ("by", by)], count)
        }.sorted { "\($0.0)" < "\($1.0)" }
    }
}
