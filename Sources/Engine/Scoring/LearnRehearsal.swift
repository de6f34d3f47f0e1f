public import Bytes
public import Records

/// An example with what was foretold of it when it was opened, by whoever was asked then.
public struct RehearsedExample: Sendable {
    /// Whose visitor.
    public let site: ShortText
    /// Who.
    public let visitor: ShortText
    /// In which session.
    public let session: ShortText
    /// What the weights of that moment foretold.
    public let learned: Likelihood
    /// Whether those were believed then.
    public let isLearnedUsed: Bool
    /// What became of it.
    public fileprivate(set) var example: LearnExample
}

/// Learns from the past as the engine did, and notes what it foretold of each example before its outcome
/// was known. Pure: nothing but the records decides.
public struct LearnRehearsal {
    private struct Place: Hashable {
        let partition: UInt8
        let offset: UInt64

        init(_ example: LearnExample) { (partition, offset) = (example.partition, example.offset) }
    }

    private let model: ScoringModel
    private var school = LearnSchool()
    private var foretold: [Place: RehearsedExample] = [:]
    /// Sequence of the last record.
    private var sequence: UInt64 = 0
    private let onMerged: (RehearsedExample) -> Void

    /// A rehearsal by one model. `onMerged` is called with each example that was learned from.
    public init(_ model: ScoringModel, onMerged: @escaping (RehearsedExample) -> Void = { _ in }) {
        self.model = model
        self.onMerged = onMerged
    }

    /// The newest edition.
    public var book: LearnedBook { school.book }

    /// Takes a record that was just folded. The fold must want examples.
    public mutating func take(
        _ header: RecordHeader,
        _ effect: FoldEffect,
        _ fold: inout PartitionFold
    ) {
        sequence = max(sequence, header.sequence)
        if sequence > 0 { advance(through: sequence - 1) }
        gather(&fold)
        guard let example = fold.example(openedAt: header.offset) else { return }
        let learned = book.sites[effect.session.site]
        let posterior = learned?.posterior ?? LearnPosterior(model)
        foretold[Place(example)] = RehearsedExample(
            site: effect.session.site,
            visitor: effect.session.visitor,
            session: effect.session.session,
            learned: posterior.likelihood(example.features),
            isLearnedUsed: learned?.trust.verdict(model.learning) == .learned,
            example: example
        )
    }

    /// Time passes for a fold, as if it were `time`.
    public mutating func letTimePass(to time: Int64, _ fold: inout PartitionFold) {
        fold.letTimePass(to: time, sequence: sequence)
        gather(&fold)
    }

    /// Learns from everything whose outcome is known.
    public mutating func finish() {
        var merged: [LearnLesson] = []
        let model = model
        school.finish(model: { _, _ in model }, onMerged: { lessons, _ in merged += lessons })
        tell(merged)
    }

    private mutating func advance(through sequence: UInt64) {
        var merged: [LearnLesson] = []
        let model = model
        school.advance(
            through: sequence,
            model: { _, _ in model },
            onMerged: { lessons, _ in merged += lessons }
        )
        tell(merged)
    }

    private mutating func gather(_ fold: inout PartitionFold) {
        let lessons = fold.takeLessons()
        if !lessons.isEmpty { school.take(lessons) }
    }

    private mutating func tell(_ lessons: [LearnLesson]) {
        for lesson in lessons {
            guard var told = foretold.removeValue(forKey: Place(lesson.example)) else { continue }
            told.example = lesson.example
            onMerged(told)
        }
    }
}
