import Synchronization

/// Every block and histogram of the process, and the Prometheus text made from them.
///
/// Threads register when they start; what they register lives as long as the process, so a scrape
/// never meets a freed block. The lock is taken at registration and at scrapes only.
public final class Metrics: Sendable {
    /// A value that is read when somebody asks.
    struct Observed {
        let gauge: Gauge
        let labels: String
        let read: @Sendable () -> Int64
    }

    struct Contents {
        var blocks: [CounterBlock] = []
        var histograms: [LatencyHistogram] = []
        var observed: [Observed] = []
        var families: [@Sendable () -> [MetricFamily]] = []
    }

    private let contents = Mutex(Contents())

    /// An empty registry.
    public init() {}

    /// Makes the block of a thread.
    public func makeBlock(thread: String) -> CounterBlock {
        let block = CounterBlock(thread: thread)
        contents.withLock { $0.blocks.append(block) }
        return block
    }

    /// Makes a histogram for a thread.
    public func makeHistogram(_ latency: Latency, thread: String) -> LatencyHistogram {
        let histogram = LatencyHistogram(latency, thread: thread)
        contents.withLock { $0.histograms.append(histogram) }
        return histogram
    }

    /// Shows under `gauge` what `read` gives at each scrape, called on the scraper's thread. A
    /// value given per `thread` stands for itself.
    public func observe(
        _ gauge: Gauge,
        thread: String = "",
        _ read: @escaping @Sendable () -> Int64
    ) {
        let labels = thread.isEmpty ? "" : Prometheus.label("thread", thread)
        let observed = Observed(gauge: gauge, labels: labels, read: read)
        contents.withLock { $0.observed.append(observed) }
    }

    /// Shows what `read` gives at each scrape, called on the scraper's thread.
    public func expose(_ read: @escaping @Sendable () -> [MetricFamily]) {
        contents.withLock { $0.families.append(read) }
    }

    /// The sum of a counter over all threads.
    public func total(_ counter: Counter) -> Int64 {
        snapshot.blocks.reduce(0) { $0 + $1.count(counter) }
    }

    /// The sum of a problem's occurrences over all threads.
    public func total(_ problem: Problem) -> Int64 {
        snapshot.blocks.reduce(0) { $0 + $1.count(problem) }
    }

    /// Everything in Prometheus' text format, version 0.0.4.
    public func prometheusText() -> String { Prometheus(snapshot).text() }

    private var snapshot: Contents { contents.withLock { $0 } }
}

/// Samples of one metric whose labels are known only while the program runs.
public struct MetricFamily: Sendable {
    /// What a metric is.
    public enum Kind: String, Sendable {
        case counter, gauge
    }

    let metric: String
    let kind: Kind
    let help: String
    let samples: [(labels: [(String, String)], value: Int64)]

    /// A family from its parts.
    public init(
        metric: String,
        kind: Kind,
        help: String,
        samples: [(labels: [(String, String)], value: Int64)]
    ) {
        self.metric = metric
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}
