import Foundation

/// The report as a person reads it.
struct Table {
    private let report: Report
    private var lines: [String] = []

    /// Sets the report as text.
    static func text(of report: Report) -> String {
        var table = Table(report: report)
        table.addHead()
        table.addPhases()
        table.addOverload()
        table.addFreshness()
        table.addProcesses()
        table.addStores()
        table.addVerdict()
        return table.lines.joined(separator: "\n")
    }

    private init(report: Report) { self.report = report }

    private mutating func addHead() {
        lines.append(
            "heliograph-bench: \(report.load) load, \(report.connections) connections"
                + (report.pipeline > 1 ? " x \(report.pipeline)" : "")
                + ", \(report.visitors) visitors, \(Int(report.averageRequestBytes)) B a request, "
                + "\(report.cores) cores shared by everything"
        )
    }

    private mutating func addPhases() {
        let heads = [
            "batches/s", "events/s", "ack p50", "p99", "p99.9", "max ms", "sent late", "not 2xx",
            "lost",
        ]
        add("", heads)
        for phase in report.phases {
            let refused = phase.statuses.filter { !["200", "204"].contains($0.key) }
            add(
                phase.name,
                [
                    count(phase.batchesPerSecond), count(phase.eventsPerSecond),
                    time(phase.ack?.p50Ms), time(phase.ack?.p99Ms), time(phase.ack?.p999Ms),
                    time(phase.ack?.maxMs), time(phase.sendDelay?.p99Ms),
                    String(refused.values.reduce(0, +)),
                    String(phase.lostConnections),
                ]
            )
        }
    }

    private mutating func addOverload() {
        for phase in report.phases {
            guard let share = phase.ofCapacity, let rate = phase.rate else { continue }
            let sent = phase.sentPerSecond ?? 0
            lines.append("")
            lines.append(
                "\(phase.name): \(count(rate)) batches/s due, \(count(sent)) sent, "
                    + "\(count(phase.batchesPerSecond)) taken (\(share) of capacity), refused with "
                    + "Retry-After \(phase.refusedWithRetryAfter), "
                    + "without \(phase.refusedWithoutRetryAfter)"
            )
        }
    }

    private mutating func addFreshness() {
        let watched = report.phases.filter { $0.freshness != nil }
        guard !watched.isEmpty else { return }
        lines.append("")
        add(
            "beacon to Redis, ms",
            ["p50", "p99", "p99.9", "max", "samples", "unseen", "of it the probe's p99"]
        )
        for phase in watched {
            guard let freshness = phase.freshness else { continue }
            let latency = freshness.latency
            add(
                phase.name,
                [
                    time(latency.p50Ms), time(latency.p99Ms), time(latency.p999Ms),
                    time(latency.maxMs), String(latency.count), String(freshness.unseen),
                    time(freshness.resolution?.p99Ms),
                ]
            )
        }
    }

    private mutating func addProcesses() {
        for phase in report.phases {
            lines.append("")
            add(phase.name, ["user µs/batch", "system", "cores", "MiB before", "after"])
            for (group, cpu) in phase.cpu.sorted(by: { $0.key < $1.key }) {
                addProcess(group, cpu, phase.memory[group])
            }
            add("  others on this machine", ["", "", time(phase.otherCores)])
        }
    }

    private mutating func addProcess(_ name: String, _ cpu: CpuReport, _ memory: MemoryReport?) {
        var cells = [
            time(cpu.userMicrosecondsPerBatch), time(cpu.systemMicrosecondsPerBatch),
            time(cpu.cores),
        ]
        if let memory { cells += [mebibytes(memory.beforeBytes), mebibytes(memory.afterBytes)] }
        add("  " + name, cells)
        for (thread, usage) in (cpu.threads ?? [:]).sorted(by: { $0.key < $1.key }) {
            addProcess("  " + thread, usage, nil)
        }
    }

    private mutating func addStores() {
        let settled = report.phases.filter { $0.reconciliation != nil }
        guard !settled.isEmpty else { return }
        lines.append("")
        add(
            "events",
            ["acknowledged", "folded", "rows", "repeated", "deduplicated", "all rows, s"]
        )
        for phase in settled {
            guard let stores = phase.reconciliation else { continue }
            add(
                phase.name,
                [
                    String(stores.acknowledgedEvents), String(stores.foldedEvents),
                    String(stores.storedRows), String(stores.repeatedEvents),
                    String(stores.duplicateEvents), time(stores.storedAfterSeconds),
                ]
            )
        }
    }

    private mutating func addVerdict() {
        lines.append("")
        if let ratio = report.floorRatio, let floor = report.floorBatchesPerSecond {
            lines.append("\(ratio) of the floor (nginx return 204: \(count(floor)) batches/s)")
        }
        if let sustained = report.sustainedEventsPerSecond {
            lines.append("sustained \(count(sustained)) events/s until PostgreSQL had every row")
        }
        if let p99 = report.freshnessP99Ms, let rate = report.freshnessBatchesPerSecond {
            lines.append("freshness p99 \(time(p99)) ms at \(count(rate)) batches/s")
        }
        let others = report.phases.map(\.otherCores).max() ?? 0
        if others > Self.otherCoresTolerated {
            lines.append(
                "other processes kept \(time(others)) cores busy: run again on a quiet machine"
            )
        }
        if let reconciled = report.reconciled {
            lines.append(
                reconciled
                    ? "reconciled: acknowledged = folded = rows"
                    : "NOT RECONCILED: acknowledged, folded and rows differ, or a fate is unknown"
            )
        }
    }

    private static let otherCoresTolerated = 0.1
    private static let nameWidth = 26
    private static let cellWidth = 11

    private mutating func add(_ name: String, _ cells: [String]) {
        let padding = String(repeating: " ", count: max(0, Self.nameWidth - name.count))
        lines.append(name + padding + cells.map(rightAligned).joined())
    }

    private func rightAligned(_ cell: String) -> String {
        String(repeating: " ", count: max(1, Self.cellWidth - cell.count)) + cell
    }

    private func count(_ value: Double) -> String { String(Int(value.rounded())) }

    private func time(_ value: Double?) -> String {
        guard let value else { return "-" }
        return String(format: "%.2f", value)
    }

    private func mebibytes(_ bytes: Int) -> String { time(Double(bytes) / 1_048_576) }
}
