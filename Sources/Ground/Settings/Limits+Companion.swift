/// What the companion takes, keeps and asks for.
extension Limits {
    /// Visitors in one answer.
    public static let companionVisitorsMaximum = 200
    /// Visitors in one answer when nothing is asked for.
    public static let companionVisitorsDefault = 50
    /// Visitors of a site that the companion remembers as newest.
    public static let companionRecentMaximum = 1_000
    /// Live streams in the process.
    public static let companionStreamsMaximum = 200
    /// Messages waiting for one stream's reader; a slower reader is disconnected.
    public static let companionStreamMessagesMaximum = 256
    /// Messages of a site kept for readers that come back.
    public static let companionReplayMessagesMaximum = 1_024
    /// Visitors whose score changed that wait for the next messages; more are let go, as each is
    /// overwritten by its visitor's next change.
    public static let companionPendingMaximum = 2_000
    /// Pause between bursts of messages, so that a visitor's changes are told at most ten times a
    /// second.
    public static let companionBurstMilliseconds = 100
    /// Messages of one burst.
    public static let companionBurstMessagesMaximum = 50
    /// How long a site is listened to after somebody asked for its visitors.
    public static let companionInterestSeconds = 60
    /// Commands in one pipeline of the companion.
    public static let companionPipelineMaximum = 500
    /// Seconds without a message before a heartbeat.
    public static let companionHeartbeatSeconds = 15
    /// How long a stream lives before its reader must come again.
    public static let companionStreamSeconds = 1_800
    /// Threads that talk to Redis for the companion.
    public static let companionRedisThreads = 2
    /// Reads waiting for one of those threads.
    public static let companionRedisQueueMaximum = 512
    /// Threads that ask PostgreSQL, or search the journal, for the companion.
    public static let companionArchiveThreads = 2
    /// Questions waiting for one of those threads.
    public static let companionArchiveQueueMaximum = 128
    /// How long PostgreSQL may take to answer the companion.
    public static let archiveReadMilliseconds = 5_000
    /// Records of the journal that are looked at to find one event.
    public static let traceRecordsMaximum = 1_000_000
    /// How long the journal is searched for one event.
    public static let traceMilliseconds = 3_000
    /// One static file of the companion or the SDK folder.
    public static let staticFileBytesMaximum = 4 * 1024 * 1024

    /// A body that the companion takes.
    public static let companionBodyBytesMaximum = 64 * 1024
    /// Buckets of time in one answer to a question.
    public static let queryBucketsMaximum = 1_500
    /// Groups and buckets that a question may make.
    public static let queryGroupsMaximum = 20_000
    /// How long it is believed what was found about how far the rows reach.
    public static let queryFreshnessMilliseconds: Int64 = 1_000
    /// How often it is looked whether figures of whole days are to be worked out.
    public static let rollupEveryMilliseconds: Int64 = 5_000
    /// Rows of one answer to a question.
    public static let queryRowsMaximum = 1_000
    /// How deep the parts of a question's filter may be nested.
    public static let queryFilterDepthMaximum = 4
    /// Comparisons in a filter.
    public static let queryFilterLeavesMaximum = 20
    /// Values of one comparison.
    public static let queryFilterValuesMaximum = 100
    /// Bytes of one value.
    public static let queryFilterValueBytesMaximum = 1_024
    /// Steps of a funnel.
    public static let funnelStepsMaximum = 8
    /// What one step of a funnel may be.
    public static let funnelAlternativesMaximum = 10
    /// From the first step of a funnel to the last.
    public static let funnelWindowSecondsMaximum = 90 * 86_400
    /// Rows of an answer about sections, fields or elements.
    public static let insightRowsMaximum = 200
    /// Goals of one site for one period: as many figures as one question may ask for.
    public static let goalsPerPeriodMaximum = 10
    /// The largest target of a goal, in the figure's own unit.
    public static let goalTargetMaximum = 1e15
    /// Requests a second of one token or session, on average; the engine's owner has no limit.
    public static let companionRequestsPerSecond = 20
    /// What it may ask at once beyond that.
    public static let companionRequestsBurst = 200
    /// Wrong tokens a minute from one address.
    public static let accessMistakesPerMinute = 30
    /// Callers that the companion remembers.
    public static let accessKnownMaximum = 10_000
    /// How long a caller is believed without asking PostgreSQL: so long a revoked token may live.
    public static let accessFreshMilliseconds: Int64 = 2_000
    /// The same while PostgreSQL does not answer.
    public static let accessHeldMilliseconds: Int64 = 300_000
    /// How long the code that `up` prints is good.
    public static let welcomeCodeMilliseconds: Int64 = 900_000
    /// How long a browser's session lives.
    public static let sessionSeconds = 7 * 86_400
    /// How long it lives unused.
    public static let sessionIdleSeconds = 12 * 3_600
    /// Days that a token is good when nothing else is said.
    public static let tokenDays = 90
    /// Days that it is kept who read and changed what.
    public static let auditDays = 400
    /// Reads of persons that wait to be stored; beyond it nobody is shown a person.
    public static let auditWaitingMaximum = 10_000
    /// Reads of persons in one statement.
    public static let auditBatchMaximum = 1_000
    /// How long a card of what needs attention is put off when nothing is said.
    public static let attentionSnoozeMinutes = 60
    /// The longest that it is put off.
    public static let attentionSnoozeMinutesMaximum = 7 * 1_440
    /// Characters of why a card is dismissed.
    public static let attentionReasonMaximum = 200
    /// Exports that wait or are being made.
    public static let exportsWaitingMaximum = 8
    /// Exports that are kept.
    public static let exportsKeptMaximum = 100
    /// How long an export is kept.
    public static let exportKeptMilliseconds: Int64 = 86_400_000
    /// Bytes of one export before packing.
    public static let exportBytesMaximum: Int64 = 4 * 1024 * 1024 * 1024
    /// How long PostgreSQL may take for the first rows of an export, and for each further batch.
    public static let exportBatchMilliseconds = 60_000
    /// How often a batch that is waited for is looked at, whether anybody still wants it.
    public static let exportLookMilliseconds = 500
}
