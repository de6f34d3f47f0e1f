// Goal: the metrics can be read by Prometheus and tell what was counted. Method: a small strict
// parser of the text format, run over everything that a scrape prints.
import Telemetry
import Testing

private struct Sample {
    let name: String
    let labels: String
    let value: Double
}

/// Reads the format as its specification gives it; nil for a line that does not fit.
private func parse(_ text: String) -> (samples: [Sample], types: [String: String])? {
    var samples: [Sample] = []
    var types: [String: String] = [:]
    guard text.hasSuffix("\n") else { return nil }
    for line in text.split(separator: "\n") {
        if line.hasPrefix("# HELP ") { continue }
        if line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            guard words.count == 4, types[String(words[2])] == nil else { return nil }
            types[String(words[2])] = String(words[3])
            continue
        }
        guard let match = line.wholeMatch(of: /([a-z_]+)(\{(([a-z]+="[^"]*",?)+)\})? (\S+)/),
            let value = Double(match.5)
        else { return nil }
        samples.append(
            Sample(name: String(match.1), labels: String(match.3 ?? ""), value: value)
        )
    }
    return (samples, types)
}

@Suite struct PrometheusTextTests {
    private func value(_ metrics: Metrics, _ name: String, _ labels: String = "") throws -> Double {
        let parsed = try #require(parse(metrics.prometheusText()))
        return try #require(parsed.samples.first { $0.name == name && $0.labels == labels }).value
    }

    @Test func emptyRegistryParsesAndHasAType() throws {
        let parsed = try #require(parse(Metrics().prometheusText()))
        for sample in parsed.samples {
            let family = sample.name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(parsed.types[sample.name] != nil || parsed.types[family] == "histogram")
            #expect(sample.name.hasPrefix("heliograph_"))
        }
        let identities = parsed.samples.map { $0.name + "{" + $0.labels }
        #expect(Set(identities).count == identities.count)
    }

    @Test(arguments: [
        ("heliograph_events_folded_total", ""), ("heliograph_events_duplicate_total", ""),
        ("heliograph_events_acknowledged_total", ""),
        ("heliograph_batches_total", "status=\"204\""),
        ("heliograph_requests_refused_total", "reason=\"json-malformed\""),
    ])
    func promisedNamesExistFromTheStart(name: String, labels: String) throws {
        #expect(try value(Metrics(), name, labels) == 0)
    }

    @Test func countersOfThreadsAddUp() throws {
        let metrics = Metrics()
        let first = metrics.makeBlock(thread: "hg-worker-0")
        let second = metrics.makeBlock(thread: "hg-worker-1")
        first.add(.eventsFolded, 40)
        second.add(.eventsFolded, 2)
        second.add(.jsonMalformed, 3)
        second.add(.fieldType)
        second.add(.eventTooLarge)
        #expect(try value(metrics, "heliograph_events_folded_total") == 42)
        #expect(try value(metrics, "heliograph_batches_total", "status=\"400\"") == 4)
        #expect(
            try value(metrics, "heliograph_events_dropped_total", "reason=\"event-too-large\"") == 1
        )
        #expect(metrics.total(.eventsFolded) == 42 && metrics.total(.jsonMalformed) == 3)
    }

    @Test func gaugesAreSummedOrPerThread() throws {
        let metrics = Metrics()
        let first = metrics.makeBlock(thread: "a")
        let second = metrics.makeBlock(thread: "b")
        #expect(!metrics.prometheusText().contains("heliograph_connections_open"))
        first.set(.connectionsOpen, 3)
        second.set(.connectionsOpen, 4)
        first.set(.ringDepthBytes, 10)
        second.set(.ringDepthBytes, 20)
        metrics.observe(.journalDiskBytes) { 7 }
        #expect(try value(metrics, "heliograph_connections_open") == 7)
        #expect(try value(metrics, "heliograph_ring_depth_bytes", "thread=\"b\"") == 20)
        #expect(try value(metrics, "heliograph_journal_disk_bytes") == 7)
    }

    @Test func histogramIsCumulativeAndComplete() throws {
        let metrics = Metrics()
        let histogram = metrics.makeHistogram(.acknowledge, thread: "a")
        for power in 0..<45 { histogram.record(nanoseconds: 1 << Int64(power)) }
        histogram.record(nanoseconds: -5)
        let parsed = try #require(parse(metrics.prometheusText()))
        let buckets = parsed.samples.filter { $0.name == "heliograph_acknowledge_seconds_bucket" }
        #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.value <= $1.value })
        #expect(buckets.last?.labels == "le=\"+Inf\"")
        #expect(buckets.last?.value == 46)
        #expect(try value(metrics, "heliograph_acknowledge_seconds_count") == 46)
        // Below 2¹³ ns there are the negative one and the powers 0 to 12.
        #expect(buckets.first?.value == 14)
    }
}
