/// Writes Prometheus' text exposition format: per metric one HELP, one TYPE, then its samples.
struct Prometheus {
    /// The content type that goes with the text.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    private static let quantiles = [0.5, 0.9, 0.99, 0.999, 1]
    // Bounds are powers of two of nanoseconds, because those are edges of the buckets: 8 µs to 34 s.
    private static let boundPowers = 13..<36

    private let contents: Metrics.Contents
    private var lines: [String] = []

    init(_ contents: Metrics.Contents) { self.contents = contents }

    /// `name="value"` with the value escaped.
    static func label(_ name: String, _ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return "\(name)=\"\(escaped)\""
    }

    func text() -> String {
        var writer = self
        writer.writeCounters()
        writer.writeProblems()
        writer.writeGauges()
        writer.writeFamilies()
        for latency in Latency.allCases { writer.write(latency) }
        return writer.lines.joined(separator: "\n") + "\n"
    }

    private mutating func head(_ metric: String, _ kind: String, _ help: String) {
        lines.append("# HELP \(metric) \(help)")
        lines.append("# TYPE \(metric) \(kind)")
    }

    private mutating func sample(_ metric: String, _ labels: String, _ value: String) {
        lines.append(labels.isEmpty ? "\(metric) \(value)" : "\(metric){\(labels)} \(value)")
    }

    // MARK: - Counters

    private mutating func writeCounters() {
        var metric = ""
        for counter in Counter.allCases where !Self.isBatches(counter) {
            let description = counter.description
            // Counters of one metric, told apart by labels, stand together under one head.
            if description.metric != metric {
                head(description.metric, "counter", description.help)
            }
            metric = description.metric
            sample(description.metric, description.labels, "\(total(counter))")
        }
        writeBatches()
    }

    private static func isBatches(_ counter: Counter) -> Bool {
        counter == .batchesAcknowledged || counter == .batchesAnswered
    }

    private func total(_ counter: Counter) -> Int64 {
        contents.blocks.reduce(0) { $0 + $1.count(counter) }
    }

    private func total(_ problem: Problem) -> Int64 {
        contents.blocks.reduce(0) { $0 + $1.count(problem) }
    }

    /// A batch that is not acknowledged is refused for one problem, whose row says the status.
    private mutating func writeBatches() {
        var byStatus = [
            204: total(.batchesAcknowledged), 200: total(.batchesAnswered),
        ]
        for problem in Problem.allCases where !problem.isAboutOneEvent {
            byStatus[problem.row.status, default: 0] += total(problem)
        }
        head("heliograph_batches_total", "counter", Counter.batchesHelp)
        for (status, count) in byStatus.sorted(by: { $0.key < $1.key }) {
            sample("heliograph_batches_total", Self.label("status", "\(status)"), "\(count)")
        }
    }

    private mutating func writeProblems() {
        write(
            Problem.allCases.filter { !$0.isAboutOneEvent },
            "heliograph_requests_refused_total",
            "Requests refused, by reason."
        )
        write(
            Problem.allCases.filter(\.isAboutOneEvent),
            "heliograph_events_dropped_total",
            "Events dropped from batches that were taken, by reason."
        )
    }

    private mutating func write(_ problems: [Problem], _ metric: String, _ help: String) {
        head(metric, "counter", help)
        for problem in problems {
            let label = Self.label("reason", problem.row.code.description)
            sample(metric, label, "\(total(problem))")
        }
    }

    // MARK: - Gauges

    private mutating func writeGauges() {
        for gauge in Gauge.allCases {
            let samples = samples(of: gauge)
            if samples.isEmpty { continue }
            head(gauge.description.metric, "gauge", gauge.description.help)
            for (labels, value) in samples {
                sample(gauge.description.metric, labels, "\(value)")
            }
        }
    }

    /// A gauge that is not per thread is one sum; a per-thread one has a sample each.
    private func samples(of gauge: Gauge) -> [(String, Int64)] {
        var samples: [(String, Int64)] = contents.blocks.compactMap { block in
            block.value(gauge).map { (Self.label("thread", block.thread), $0) }
        }
        samples += contents.observed.filter { $0.gauge == gauge }.map { ($0.labels, $0.read()) }
        if gauge.description.isPerThread || samples.isEmpty { return samples }
        return [("", samples.reduce(0) { $0 + $1.1 })]
    }

    private mutating func writeFamilies() {
        for family in contents.families.flatMap({ $0() }) where !family.samples.isEmpty {
            head(family.metric, family.kind.rawValue, family.help)
            for (labels, value) in family.samples {
                let text = labels.map { Self.label($0.0, $0.1) }.joined(separator: ",")
                sample(family.metric, text, "\(value)")
            }
        }
    }

    // MARK: - Latencies

    private mutating func write(_ latency: Latency) {
        var sum = LatencySnapshot.empty
        for histogram in contents.histograms where histogram.latency == latency {
            sum.add(histogram.snapshot())
        }
        head(latency.metric, "histogram", latency.help)
        for power in Self.boundPowers {
            let bound = Self.seconds(1 << UInt64(power))
            sample(
                "\(latency.metric)_bucket",
                Self.label("le", bound),
                "\(sum.count(below: 1 << UInt64(power)))"
            )
        }
        sample("\(latency.metric)_bucket", Self.label("le", "+Inf"), "\(sum.count)")
        sample("\(latency.metric)_sum", "", Self.seconds(sum.totalNanoseconds))
        sample("\(latency.metric)_count", "", "\(sum.count)")
        writeQuantiles(latency, sum)
    }

    /// Quantiles since the start, for people without a Prometheus at hand.
    private mutating func writeQuantiles(_ latency: Latency, _ sum: LatencySnapshot) {
        let metric = "\(latency.metric)_quantile"
        head(metric, "gauge", "\(latency.help) Quantiles since the start.")
        for quantile in Self.quantiles {
            let value = Self.seconds(sum.nanoseconds(quantile: quantile))
            sample(metric, Self.label("quantile", "\(quantile)"), value)
        }
    }

    private static func seconds(_ nanoseconds: UInt64) -> String {
        "\(Double(nanoseconds) / 1e9)"
    }
}

extension Metrics {
    /// The content type that goes with `prometheusText`.
    public static var prometheusContentType: String { Prometheus.contentType }
}
