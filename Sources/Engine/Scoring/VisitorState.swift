import Bytes
import Records

/// Everything that is remembered about one visitor: a fixed number of bytes, no references.
struct VisitorState: BitwiseCopyable, Sendable {
    /// What a visitor may take in memory, the table's entry included (design, section 8).
    static let bytesMaximum = 1024
    /// A pause this long ends a session of a sender that names none.
    static let sessionGapMilliseconds: Int64 = 30 * 60_000
    /// The site of a place that no visitor has; a partition has fewer sites.
    static let siteOfNobody = UInt16.max
    /// A visitor unseen for so long begins anew: 13 months.
    static let lifeMilliseconds: Int64 = 396 * 86_400_000

    var visitor = ShortText()
    var signals = SignalState()
    var trend = SessionTrend()
    /// The last four profiled sessions, by hash; the current one is among them.
    var recentSessions = InlineArray<4, UInt64>(repeating: 0)
    /// First event of the last session made here, epoch milliseconds; 0 without one.
    var madeSessionAt: Int64 = 0
    /// The last conversion, epoch milliseconds; 0 without one.
    var convertedAt: Int64 = 0
    /// The last event, epoch milliseconds; 0 before the first.
    var seenAt: Int64 = 0
    /// The greatest `received_at` of the records folded.
    var updatedAt: Int64 = 0
    /// Offset of the record last folded.
    var offset: UInt64 = 0
    /// `received_at` of the last look at the label; 0 before the first.
    var lookedAt: Int64 = 0
    /// The score of the last point of history; below 0 before the first.
    var keptScore = -1.0
    /// Index of the site in the partition's list.
    var site: UInt16 = 0
    var nextSession: UInt8 = 0
    var band = Band.cold
    var label = Profile.undetermined
    var challenger = Profile.undetermined
    /// Whether the last record came from an automated browser: it is folded, but masked.
    var isAutomated = false
    /// Which person the visitor is read as part of.
    var link = IdentityLink()
    /// Where the visitor was counted in live minutes.
    var visits = VisitTrace()

    init() {}

    init(visitor: ShortText, site: UInt16) {
        self.visitor = visitor
        self.site = site
    }

    /// Whether a session is none of the last four.
    func isNewSession(_ hash: UInt64) -> Bool {
        for index in 0..<4 where recentSessions[index] == hash { return false }
        return true
    }

    /// Notes a profiled session; true when it is none of the last four.
    mutating func entersSession(_ hash: UInt64) -> Bool {
        guard isNewSession(hash) else { return false }
        recentSessions[Int(nextSession & 3)] = hash
        nextSession = (nextSession &+ 1) & 3
        return true
    }

    /// Begins anew when nothing was seen for a lifetime before `receivedAt`, whether the state was in
    /// memory meanwhile or not.
    @inline(__always)
    mutating func renew(at receivedAt: Int64) {
        guard updatedAt != 0, receivedAt &- updatedAt > Self.lifeMilliseconds else { return }
        self = VisitorState(visitor: visitor, site: site)
    }

    /// Consent for profiling is withdrawn: only identity and the sessions made here remain.
    mutating func withdraw() {
        signals.reset()
        trend = SessionTrend()
        recentSessions = InlineArray(repeating: 0)
        (nextSession, convertedAt, lookedAt, keptScore) = (0, 0, 0, -1)
        (band, label, challenger) = (.cold, .undetermined, .undetermined)
    }

    /// Consent for inference from pointer dynamics is withdrawn.
    mutating func withdrawInference() {
        for sum in [
            Sum.cursorMicroexpression, .cursorMicroexpressionWeight, .negativeAffect,
            .negativeAffectWeight, .excessLog, .excessWeight, .speedLog, .speedWeight,
        ] { signals.sums[sum.index] = 0 }
    }
}

extension VisitorState {
    /// For checkpoints: every field in a fixed order; of the sums only those that are not zero.
    /// Version 1 had no visits, version 2 no link, version 3 no actions of the session.
    mutating func encode<Coder: StateCoder & ~Copyable>(
        _ coder: inout Coder,
        version: UInt32 = PartitionFold.checkpointVersion
    ) {
        coder.field(&visitor)
        coder.field(&site)
        coder.field(&signals.landmark)
        coder.field(&signals.formLeftAt)
        coder.field(&signals.measured)
        coder.field(&signals.pageViews)
        coder.sums(&signals.sums)
        trend.encode(&coder, version: version)
        for index in 0..<4 { coder.field(&recentSessions[index]) }
        coder.field(&madeSessionAt)
        coder.field(&convertedAt)
        coder.field(&seenAt)
        coder.field(&updatedAt)
        coder.field(&offset)
        coder.field(&lookedAt)
        coder.field(&keptScore)
        coder.field(&nextSession)
        coder.field(&band)
        coder.field(&label)
        coder.field(&challenger)
        coder.field(&isAutomated)
        if version >= 2 { visits.encode(&coder) }
        if version >= 3 { link.encode(&coder) }
    }
}
