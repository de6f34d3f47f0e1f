public import Bytes
public import Records
public import Settings

/// A visitor at a landmark of a session, and what became of it.
public struct LearnExample: BitwiseCopyable, Sendable {
    /// Whose visitor.
    public var site = ShortText()
    /// Who.
    public var visitor = ShortText()
    /// In which session.
    public var session = ShortText()
    /// The partition of its records.
    public var partition: UInt8 = 0
    /// Offset of the record that reached the landmark.
    public var offset: UInt64 = 0
    /// `received_at` of that record, epoch milliseconds.
    public var at: Int64 = 0
    /// The landmark: so many actions into the session.
    public var landmark: Int32 = 0
    /// The evidence at that moment.
    public var features = LearnFeatures()
    /// What the rule foretold.
    public var rule = 0.0
    /// What the weights of that moment foretold.
    public var learned = Likelihood(probability: 0, low: 0, high: 0)
    /// Whether those were believed then.
    public var isLearnedUsed = false
    /// Whether a conversion followed within the horizon.
    public var converted = false
    /// When that was known, epoch milliseconds.
    public var labelledAt: Int64 = 0
}

/// Makes examples of the records of one partition: opens them at landmarks, and closes them when a
/// conversion comes or the horizon has passed. Pure: decided by the partition's records alone.
///
/// Landmarks are fixed numbers of actions, the same for everybody. Cutting sessions where people buy
/// instead would teach the opposite of the truth: buyers reach the cart sooner.
public struct LearnLedger: Sendable {
    private struct Owner: Hashable {
        let site: ShortText
        let visitor: ShortText

        init(_ effect: FoldEffect) {
            (site, visitor) = (effect.session.site, effect.session.visitor)
        }

        init(_ example: LearnExample) { (site, visitor) = (example.site, example.visitor) }
    }

    /// How far a visitor's session has come.
    private struct Course {
        var session: ShortText
        var actions = 0
        var hasConverted = false
        var lastAt: Int64
    }

    /// Between two looks at courses that are long over, records.
    private static let sweepEvery = 4_096

    private let rules: LearningRules
    private var courses: [Owner: Course] = [:]
    private var open: [LearnExample] = []
    private var closed: [LearnExample] = []
    /// Greatest `received_at` so far.
    private var clock: Int64 = .min
    private var taken = 0

    /// A ledger without examples.
    public init(_ rules: LearningRules) { self.rules = rules }

    /// Takes a record that was just folded. Returns the example that it opens, for the caller to note what is
    /// foretold and hand back to `keep`.
    public mutating func take(
        _ header: RecordHeader,
        _ slice: Slice,
        _ effect: FoldEffect,
        _ fold: borrowing PartitionFold
    ) -> LearnExample? {
        advance(to: header.receivedAt)
        let owner = Owner(effect)
        if effect.score == .dropped {
            forget(owner)
            return nil
        }
        guard effect.score == .updated, !slice.flags.contains(.bot) else { return nil }
        let (actions, converts) = Self.count(header, slice, fold.model)
        var course = course(owner, effect.session.session)
        defer { courses[owner] = course }
        let before = course.actions
        course.actions += actions
        course.lastAt = clock
        if converts {
            convert(owner)
            course.hasConverted = true
        }
        let reached = rules.landmarks.last { before < $0 && $0 <= course.actions }
        guard let reached, !course.hasConverted else { return nil }
        return example(header, effect, reached, fold)
    }

    private func course(_ owner: Owner, _ session: ShortText) -> Course {
        if let known = courses[owner], known.session == session { return known }
        return Course(session: session, lastAt: clock)
    }

    /// Page views, clicks, forms and custom events count; summaries and moves tell more about the same.
    private static func count(
        _ header: RecordHeader,
        _ slice: Slice,
        _ model: ScoringModel
    ) -> (actions: Int, converts: Bool) {
        var (actions, converts) = (0, false)
        slice.forEachEvent { number, event in
            guard header.counts(number) else { return }
            switch event.kind {
            case .pageView, .click, .form: actions += 1
            case .custom:
                actions += 1
                if model.isConversion(event.name) { converts = true }
            case .pageSummary, .navigation, .identify, .consent: break
            }
        }
        return (actions, converts)
    }

    private func example(
        _ header: RecordHeader,
        _ effect: FoldEffect,
        _ landmark: Int,
        _ fold: borrowing PartitionFold
    ) -> LearnExample {
        var example = LearnExample()
        example.site = effect.session.site
        example.visitor = effect.session.visitor
        example.session = effect.session.session
        example.partition = header.partition.index
        example.offset = header.offset
        example.at = clock
        example.landmark = Int32(landmark)
        example.features = fold.features(of: effect.visitorIndex, actions: landmark)
        example.rule = effect.history.reading.score / 100
        return example
    }

    /// Waits for what becomes of an example.
    public mutating func keep(_ example: LearnExample) { open.append(example) }

    private mutating func convert(_ owner: Owner) {
        for var example in open where Owner(example) == owner {
            example.converted = true
            example.labelledAt = clock
            closed.append(example)
        }
        open.removeAll { Owner($0) == owner }
    }

    /// Nothing is learned from somebody who does not want it.
    private mutating func forget(_ owner: Owner) {
        courses[owner] = nil
        open.removeAll { Owner($0) == owner }
        closed.removeAll { Owner($0) == owner }
    }

    /// Time passes: whose horizon lies behind has not converted.
    public mutating func advance(to time: Int64) {
        clock = max(clock, time)
        let horizon = Int64(rules.horizonMilliseconds)
        expire(before: clock &- horizon)
        taken += 1
        if taken % Self.sweepEvery == 0 {
            let now = clock
            courses = courses.filter { now &- $0.value.lastAt <= horizon }
        }
    }

    /// Examples stand in the order of their time. What is known of one is known at a moment of its own, no
    /// matter when somebody looked.
    private mutating func expire(before time: Int64) {
        let count = open.prefix { $0.at < time }.count
        for var example in open.prefix(count) {
            example.labelledAt = example.at + Int64(rules.horizonMilliseconds) + 1
            closed.append(example)
        }
        open.removeFirst(count)
    }

    /// Examples whose outcome is known, in the order in which it came to be; they are the caller's now.
    public mutating func takeClosed() -> [LearnExample] {
        defer { closed.removeAll(keepingCapacity: true) }
        return closed
    }
}
