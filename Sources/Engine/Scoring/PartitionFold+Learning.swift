public import Bytes
public import Records
import Units

/// What a partition's records teach: README, likelihood.
extension PartitionFold {
    /// Takes note of a record that was just folded: it may close examples, and open one.
    mutating func learn(
        _ header: RecordHeader,
        _ slice: Slice,
        _ index: Int,
        _ effect: FoldEffect
    ) {
        ledger.advance(to: header.receivedAt, sequence: header.sequence, model.learning)
        if effect.score == .dropped { return ledger.forget(owner(index)) }
        guard effect.score == .updated, !slice.flags.contains(.bot), actions > 0 else { return }
        let before = table[index].trend.actions
        table[index].trend.take(actions: actions, converts: hasConverted)
        if hasConverted, !ledger.open.isEmpty { ledger.convert(owner(index)) }
        let trend = table[index].trend
        guard !trend.hasConverted, let landmark = model.landmark(after: before, upTo: trend.actions)
        else { return }
        open(landmark, header, index, effect)
    }

    private mutating func open(
        _ landmark: Int,
        _ header: RecordHeader,
        _ index: Int,
        _ effect: FoldEffect
    ) {
        var example = LearnExample()
        example.owner = owner(index)
        example.site = table[index].site
        example.partition = header.partition.index
        example.offset = header.offset
        example.at = ledger.clock
        example.landmark = Int32(landmark)
        example.features = table[index].features(actions: landmark, model)
        example.rule = effect.history.reading.score / 100
        ledger.keep(example)
    }

    /// Without a key of our own: the same in every process, as examples outlive it.
    @inline(__always)
    private func owner(_ index: Int) -> UInt64 {
        let site = sites[Int(table[index].site)]
        return site.withBytes { site in
            table[index].visitor.withBytes { Self.owner(site: site, visitor: $0) }
        }
    }

    /// What examples know a visitor by.
    public static func owner(site: ByteView, visitor: ByteView) -> UInt64 {
        let one = site.hash128(key: FixedKeys.owner).low
        return visitor.hash128(key: FixedKeys.owner).low ^ (one &* 0x9e37_79b9_7f4a_7c15)
    }

    // MARK: - For who learns

    /// From now on examples whose outcome came to be known by the record of `sequence` or a later one are
    /// kept until they are said to be learned from for good, by a later call.
    public mutating func wantExamples(from sequence: UInt64) { ledger.want(from: sequence) }

    /// Hands over the examples whose outcome came to be known after the record of `sequence`.
    public func forEachLesson(after sequence: UInt64, _ body: (LearnLesson) -> Void) {
        for example in ledger.closed where example.sequence > sequence || sequence == 0 {
            body(LearnLesson(site: sites[Int(example.site)], example: example))
        }
    }

    /// Hands over all examples whose outcome is known; they are the caller's now.
    public mutating func takeLessons() -> [LearnLesson] {
        guard !ledger.closed.isEmpty else { return [] }
        var lessons: [LearnLesson] = []
        forEachLesson(after: 0) { lessons.append($0) }
        ledger.dropClosed()
        return lessons
    }

    /// The example that the record at `offset`, the last one, has opened.
    public func example(openedAt offset: UInt64) -> LearnExample? {
        ledger.open.last.flatMap { $0.offset == offset ? $0 : nil }
    }

    /// Time passes without a record, for who asks what would be known by then.
    public mutating func letTimePass(to time: Int64, sequence: UInt64) {
        ledger.advance(to: time, sequence: sequence, model.learning)
    }

    /// Examples whose outcome is not known yet, and those that wait to be learned from.
    public var examples: (open: Int, closed: Int) { (ledger.open.count, ledger.closed.count) }

    // MARK: - Answers

    /// How likely the visitor at `index` is to convert, as of its last record.
    public func likelihood(of index: Int32, _ book: LearnedBook) -> Likelihood {
        likelihood(of: index, book, by: model)
    }

    /// The same, by another model of the same fold rules.
    public func likelihood(
        of index: Int32,
        _ book: LearnedBook,
        by model: ScoringModel
    ) -> Likelihood {
        let site = sites[Int(table[Int(index)].site)]
        return table[Int(index)].likelihood(book, site, model)
    }
}

extension ColdState {
    /// How likely the visitor is to convert, as of its last record.
    public func likelihood(
        _ book: LearnedBook,
        site: ShortText,
        _ model: ScoringModel
    ) -> Likelihood {
        state.likelihood(book, site, model)
    }
}

extension VisitorState {
    @inline(__always)
    borrowing func outlook(
        _ book: LearnedBook,
        _ site: ShortText,
        _ model: ScoringModel
    ) -> (reading: Reading, likelihood: Likelihood) {
        let evaluation = signals.evaluate(at: updatedAt, model)
        let context = LearnContext(convertedAt: convertedAt, actions: trend.actions)
        let features = LearnFeatures(evaluation, signals, at: updatedAt, context, model)
        return (
            reading(evaluation, at: updatedAt, model), book.likelihood(features, site: site, model)
        )
    }

    @inline(__always)
    borrowing func likelihood(
        _ book: LearnedBook,
        _ site: ShortText,
        _ model: ScoringModel
    ) -> Likelihood {
        let features = features(actions: trend.actions, model)
        return book.likelihood(features, site: site, model)
    }
}
