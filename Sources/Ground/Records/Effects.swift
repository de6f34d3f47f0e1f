public import Bytes

/// What can be said about a visitor at one moment: the part of a score that stores and people read.
public struct Reading: BitwiseCopyable, Sendable {
    /// Readiness, 0 to 100.
    public var score: Double
    /// Probability of conversion, 0 to 1.
    public var likelihood: Double
    /// Trust in the profile, 0 to 1.
    public var confidence: Double
    /// Band of the score, with hysteresis.
    public var band: Band
    /// Buyer profile.
    public var profile: Profile
    /// The moment the score is valid at, epoch milliseconds: `received_at` of the record last folded.
    public var updatedAt: Int64
    /// Time of the visitor's last event, epoch milliseconds.
    public var seenAt: Int64
    /// Offset in the partition of the record last folded.
    public var offset: UInt64

    /// A reading from its parts.
    public init(
        score: Double,
        likelihood: Double,
        confidence: Double,
        band: Band,
        profile: Profile,
        updatedAt: Int64,
        seenAt: Int64,
        offset: UInt64
    ) {
        self.score = score
        self.likelihood = likelihood
        self.confidence = confidence
        self.band = band
        self.profile = profile
        self.updatedAt = updatedAt
        self.seenAt = seenAt
        self.offset = offset
    }
}

/// What one record adds to a session's row. Rows merge by least, greatest and sum, so changes may be
/// added up before they are written.
public struct SessionChange: BitwiseCopyable, Sendable {
    /// Site name.
    public var site = ShortText()
    /// Visitor id.
    public var visitor = ShortText()
    /// Session id.
    public var session = ShortText()
    /// Least corrected event time, epoch milliseconds.
    public var startedAt: Int64 = .max
    /// Greatest corrected event time, epoch milliseconds.
    public var endedAt: Int64 = .min
    /// Events to add.
    public var events: Int32 = 0
    /// Page views to add.
    public var pageViews: Int32 = 0
    /// Active milliseconds to add.
    public var activeMilliseconds: Int64 = 0
    /// Greatest score reached.
    public var scoreMaximum: Double = 0
    /// Whether an automated browser.
    public var bot = false

    /// A change that changes nothing.
    public init() {}
}

/// A visitor's score at a moment worth keeping.
public struct HistoryPoint: BitwiseCopyable, Sendable {
    /// Why the point is kept.
    public enum Reason: UInt8, BitwiseCopyable, Sendable {
        case first, band, step, profile
        /// It is how the session before this record left the visitor.
        case session
    }

    /// Why the point is kept.
    public var reason: Reason
    /// What was read.
    public var reading: Reading
    /// The largest parts of the score.
    public var terms = LargestTerms()
    /// Whether the profile changed with this record, whatever the reason is.
    public var changesProfile = false
    /// The profile before the change.
    public var profileBefore = Profile.undetermined
    /// The largest parts of the new profile, or of the one that was dropped; empty without a change.
    public var profileTerms = LargestTerms()

    /// A point from its parts.
    public init(reason: Reason, reading: Reading) {
        self.reason = reason
        self.reading = reading
    }
}

/// What folding one record did to a visitor's score.
public enum ScoreChange: UInt8, BitwiseCopyable, Sendable {
    /// Nothing: there is no consent to profile, so no store may learn of a score.
    case none
    /// It was computed anew: `history.reading` is to be written.
    case updated
    /// Consent was withdrawn: what stores hold of it is to be deleted.
    case dropped
}

/// A change of which person a visitor is read as part of.
public struct LinkChange: BitwiseCopyable, Sendable {
    /// Why it changed.
    public enum Cause: UInt8, BitwiseCopyable, Sendable {
        /// It did not.
        case none
        /// The visitor was identified.
        case identified
        /// Consent to linking was withdrawn.
        case withdrawn
        /// Somebody asked for the visitor to be parted from the person, or to be joined again.
        case parted, rejoined
    }

    /// Why it changed.
    public var cause = Cause.none
    /// The two words of the person's key: of the one joined, else of the one left.
    public var identityLow: UInt64 = 0
    /// The second word.
    public var identityHigh: UInt64 = 0

    /// No change.
    public init() {}

    /// Whether the visitor is part of the person from now on.
    public var isJoined: Bool { cause == .identified || cause == .rejoined }
}

/// Everything that folding one record brought about, for the stores to take.
public struct FoldEffect: BitwiseCopyable, Sendable {
    /// Index of the visitor in its partition's table.
    public var visitorIndex: Int32
    /// Events that took effect; repeats are not among them.
    public var eventsFolded: Int32
    /// What happened to the score.
    public var score: ScoreChange
    /// What the session's row gains; with no events folded there is no row to change.
    public var session: SessionChange
    /// Which person the visitor is part of, when that changed.
    public var link = LinkChange()
    /// Whether `ended` is to be kept.
    public var keepsEnded = false
    /// How the visitor's last session left the score, when this record begins another.
    public var ended: HistoryPoint
    /// Whether `history` is to be kept.
    public var keepsHistory: Bool
    /// The visitor's score after the record; to be looked at when `score` is `updated` only.
    public var history: HistoryPoint

    /// An effect on a visitor that has no score yet.
    public init(visitorIndex: Int32, eventsFolded: Int32) {
        self.visitorIndex = visitorIndex
        self.eventsFolded = eventsFolded
        score = .none
        session = SessionChange()
        keepsHistory = false
        history = HistoryPoint(
            reason: .step,
            reading: Reading(
                score: 0,
                likelihood: 0,
                confidence: 0,
                band: .cold,
                profile: .undetermined,
                updatedAt: 0,
                seenAt: 0,
                offset: 0
            )
        )
        ended = history
    }
}
