public import Bytes
public import Records
public import Settings

/// What one site's conversions have taught.
public struct LearnedSite: Sendable {
    /// The weights, and how uncertain they are.
    public internal(set) var posterior: LearnPosterior
    /// Whether they are believed.
    public internal(set) var trust = LearnGuard()
    /// How often they have changed.
    public internal(set) var version = 0
    /// Examples taken in all.
    public internal(set) var examples = 0
    /// Conversions among them.
    public internal(set) var conversions = 0
    fileprivate let prior: LearnPosterior
    fileprivate var mergedAt: Int64?

    fileprivate init(_ model: ScoringModel, _ rules: LearningRules) {
        prior = LearnPosterior(model, rules)
        posterior = prior
    }
}

/// Learns every site's likelihood from records in journal order, and foretells each example before its
/// outcome is known. Pure: nothing but the records decides.
///
/// Partitions make examples each for itself. Those whose outcome came to be known in one stretch of
/// `merge_every` are merged together, in the order of outcome, partition, offset and landmark, once the
/// clock of the records has left the stretch behind; the weights of a stretch do not change while it lasts.
public struct LearnSchool {
    private let model: ScoringModel
    private let rules: LearningRules
    private var ledgers: [LearnLedger]
    private var waiting: [LearnExample] = []
    /// Number of the stretch that the records have come to.
    private var stretch: Int64 = .min
    /// What was learned, by site.
    public private(set) var sites: [ShortText: LearnedSite] = [:]
    private let onMerged: (LearnExample) -> Void

    /// A school that knows the rule. `onMerged` is called with each example that was taken.
    public init(
        _ model: ScoringModel,
        _ rules: LearningRules,
        onMerged: @escaping (LearnExample) -> Void = { _ in }
    ) {
        self.model = model
        self.rules = rules
        self.onMerged = onMerged
        ledgers = (0..<Partition.count).map { _ in LearnLedger(rules) }
    }

    /// Takes a record that was just folded.
    public mutating func take(
        _ header: RecordHeader,
        _ slice: Slice,
        _ effect: FoldEffect,
        _ fold: borrowing PartitionFold
    ) {
        advance(to: header.receivedAt)
        let row = Int(header.partition.index)
        guard var example = ledgers[row].take(header, slice, effect, fold) else { return }
        foretell(&example)
        ledgers[row].keep(example)
    }

    private mutating func foretell(_ example: inout LearnExample) {
        let site = sites[example.site] ?? LearnedSite(model, rules)
        sites[example.site] = site
        example.learned = site.posterior.likelihood(example.features)
        example.isLearnedUsed = site.trust.verdict(rules) == .learned
    }

    /// Time passes: what waits from the stretches before is merged.
    public mutating func advance(to time: Int64) {
        let now = time / Int64(rules.mergeMilliseconds)
        guard now > stretch else { return }
        stretch = now
        let end = now * Int64(rules.mergeMilliseconds)
        for row in 0..<ledgers.count {
            ledgers[row].advance(to: end - 1)
            waiting += ledgers[row].takeClosed()
        }
        let due = waiting.filter { $0.labelledAt < end }
        guard !due.isEmpty else { return }
        waiting.removeAll { $0.labelledAt < end }
        merge(due.sorted(by: Self.isBefore), at: end)
    }

    private static func isBefore(_ a: LearnExample, _ b: LearnExample) -> Bool {
        (a.labelledAt, a.partition, a.offset, a.landmark)
            < (b.labelledAt, b.partition, b.offset, b.landmark)
    }

    private mutating func merge(_ examples: [LearnExample], at time: Int64) {
        for (site, mine) in Dictionary(grouping: examples, by: \.site) {
            var learned = sites[site] ?? LearnedSite(model, rules)
            learned.take(mine, at: time, rules)
            sites[site] = learned
        }
        examples.forEach(onMerged)
    }
}

extension LearnedSite {
    fileprivate mutating func take(
        _ batch: [LearnExample],
        at time: Int64,
        _ rules: LearningRules
    ) {
        let passed = Double(time &- (mergedAt ?? time))
        mergedAt = time
        trust.fade(milliseconds: passed)
        for example in batch {
            trust.take(
                rule: example.rule,
                learned: example.learned.probability,
                converted: example.converted
            )
        }
        posterior.fade(to: Shapes.powerOfTwo(-passed / rules.halfLifeMilliseconds))
        posterior.learn(
            batch.map { ($0.features, $0.converted) },
            weight: rules.exampleWeight
        )
        version += 1
        examples += batch.count
        conversions += batch.count { $0.converted }
    }

    /// What is to be shown for this evidence: what was learned while it is believed, else the rule with the
    /// prior's bounds.
    public func likelihood(_ features: LearnFeatures, _ rules: LearningRules) -> Likelihood {
        trust.verdict(rules) == .learned ? posterior.likelihood(features) : prior.rule(features)
    }
}
