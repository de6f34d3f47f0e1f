/// Every limit of the engine, in one place, so that they can be held against each other.
///
/// What an operator may set lives in `HeliographSettings`, within the bounds given here. `check`
/// relates the limits; the program refuses to start and a test fails when a relation is broken.
public enum Limits {
    // MARK: - HTTP framing

    /// Request line and headers together. Beacons need about 600 bytes; nginx allows 4 × 8 KiB.
    public static let headerBytesMaximum = 16 * 1024
    /// The request line, or one header line.
    public static let headerLineBytesMaximum = 8 * 1024
    /// Headers of a request.
    public static let headerCountMaximum = 64
    /// A request body as it travels. The SDK stays below `batchEventBytesMaximum`; what is larger
    /// is read up to here, so that the answer can say precisely what is wrong.
    public static let bodyBytesMaximum = 1024 * 1024
    /// A request of a server's tracker, plain and inflated: RudderStack's clients send up to 4 MiB.
    public static let serverBodyBytesMaximum = 4 * 1024 * 1024
    /// A body after inflation.
    public static let inflatedBytesMaximum = 1024 * 1024
    /// Output bytes per input byte of a compressed body. Deflate itself cannot exceed about 1030.
    public static let inflateRatioMaximum = 100
    /// Output that a body may inflate to before the ratio is looked at, because small bodies of
    /// repeated text compress well honestly.
    public static let inflateRatioFreeBytes = 64 * 1024
    /// Hexadecimal digits of a chunk's size: fewer than would overflow 64 bits.
    public static let chunkSizeDigitsMaximum = 15
    /// A chunk's extensions, which are skipped.
    public static let chunkExtensionBytesMaximum = 1024
    /// Trailer bytes behind a chunked body, which are skipped.
    public static let trailerBytesMaximum = 4 * 1024

    // MARK: - Time given to a client

    /// From the first byte of a request's head to its last.
    public static let requestDeadlineMilliseconds = 10_000
    /// From a request's first byte to its last, whatever its body's rate: more than a body of
    /// `bodyBytesMaximum` at the least rate needs.
    public static let requestWholeMilliseconds = 1_200_000
    /// From a connection to the end of its PROXY header and TLS handshake.
    public static let handshakeDeadlineMilliseconds = 10_000
    /// Silence within a request.
    public static let requestIdleMilliseconds = 5_000
    /// Silence between requests on a connection that is kept alive.
    public static let keepAliveIdleMilliseconds = 60_000
    /// The least a body must advance, measured over `bodyRateWindowMilliseconds`.
    public static let bodyRateBytesPerSecondMinimum = 1024
    /// Over how long the body's rate is measured.
    public static let bodyRateWindowMilliseconds = 10_000
    /// How long an answer may wait for a client that does not read.
    public static let responseWriteDeadlineMilliseconds = 10_000
    /// How long `want=score` waits for the new score before it is answered without.
    public static let scoreReplyMilliseconds = 50
    /// From the signal to stop until the process has ended.
    public static let drainDeadlineMilliseconds = 10_000
    /// How long readiness says no before connections are refused, when nothing is set: a balancer
    /// should have looked once.
    public static let readinessLeadMillisecondsDefault = 500
    /// The longest that an operator may set for it.
    public static let readinessLeadMillisecondsMaximum = 2_000

    // MARK: - Connections and threads

    /// The most connections an operator may allow.
    public static let connectionsMaximum = 100_000
    /// Connections allowed when nothing is set.
    public static let connectionsDefault = 10_000
    /// Connections beyond those allowed that are told so, at one time; further ones are just closed.
    public static let connectionsTurnedAwayMaximum = 256
    /// Requests of one connection, so that balancers can move it some time.
    public static let requestsPerConnectionMaximum = 100_000
    /// Memory that the unfinished requests and unread answers of one listener may hold when nothing is
    /// set; beyond, those that hold the most are given up.
    public static let heldBytesDefault = 48 * 1024 * 1024
    /// The least that an operator may set for it: several bodies.
    public static let heldBytesMinimum = 16 * 1024 * 1024
    /// The most that an operator may set for it.
    public static let heldBytesMaximum = 16 * 1024 * 1024 * 1024
    /// The port with TLS when none is set.
    public static let tlsPortDefault = 8643
    /// Certificates of the port with TLS.
    public static let certificatesMaximum = 64
    /// Addresses and networks of proxies that are believed.
    public static let trustedProxiesMaximum = 256
    /// Proxies between a client and us that are looked through.
    public static let forwardedHopsMaximum = 32
    /// Addresses and extensions of a PROXY header, behind its first 16 bytes.
    public static let proxyHeaderBytesMaximum = 2 * 1024
    /// Connections to the companion.
    public static let companionConnectionsMaximum = 1_000
    /// Open files that connections leave to the journal, checkpoints, stores and the companion.
    public static let filesReserved =
        256 + companionConnectionsMaximum + connectionsTurnedAwayMaximum
        // The live fold's and the archive's.
        + 2 * 256 * (coldFilesMaximum + 1)
    /// Listener loops an operator may ask for.
    public static let loopsMaximum = 64
    /// Workers an operator may ask for: a partition is owned by one worker at a time.
    public static let workersMaximum = 64
    /// Connections waiting to be accepted, per listener.
    public static let listenBacklog = 1024
    /// Requests of one connection that are answered before the others have their turn.
    public static let requestsPerTurnMaximum = 16
    /// What the kernel keeps of answers that a client has not taken; it doubles the number.
    public static let socketSendBytes = 128 * 1024

    // MARK: - A batch and its events

    /// Events in a batch: one bit each in a record's bitmap of duplicates.
    public static let batchEventsMaximum = 64
    /// Bytes of the events of an SDK batch.
    public static let batchEventBytesMaximum = 48 * 1024
    /// One event as it travels.
    public static let eventBytesMaximum = 4 * 1024
    /// One event of a server as it travels: what Segment's and RudderStack's own limits are.
    public static let serverEventBytesMaximum = 32 * 1024
    /// Events of one request of a server: their verdicts fit what a connection may have to send.
    public static let serverBatchEventsMaximum = 5_000
    /// Any text in a beacon.
    public static let stringBytesMaximum = 8 * 1024
    /// Depth of nested objects and arrays.
    public static let nestingDepthMaximum = 16
    /// Public site key, as it travels in `k`.
    public static let keyBytesMaximum = 32
    /// Device, session, window and batch ids. A `ShortText` holds 63.
    public static let idBytesMaximum = 36
    /// A message id that is kept as it was sent; a longer one is replaced by its fingerprint.
    public static let messageIdBytesMaximum = 64
    /// Hashed user id. It lives in a length-prefixed field of a record.
    public static let userIdBytesMaximum = 96
    /// Page address.
    public static let urlBytesMaximum = 512
    /// Referring address.
    public static let referrerBytesMaximum = 256
    /// Page title.
    public static let titleBytesMaximum = 128
    /// Name of a custom event, label of a click.
    public static let nameBytesMaximum = 64
    /// Name of a form.
    public static let formNameBytesMaximum = 48
    /// Name of a form field.
    public static let fieldNameBytesMaximum = 32
    /// Keys of a custom event's properties.
    public static let propertyCountMaximum = 32
    /// Bytes of a custom event's properties.
    public static let propertyBytesMaximum = 2 * 1024
    /// Sections in a page summary.
    public static let summarySectionsMaximum = 60
    /// Calls to action in a page summary.
    public static let summaryTargetsMaximum = 20
    /// Fields in a form summary.
    public static let formFieldsMaximum = 40
    /// Bytes of a slice's context object.
    public static let contextBytesMaximum = 2 * 1024
    /// Greatest sequence number of an event in a window.
    public static let sequenceNumberMaximum = Int(UInt32.max)

    // MARK: - Shedding

    /// Shares of the journal's disk and of the ring to it from which batches are shed: page summaries
    /// of visitors not known as warm first, then everything but conversions, identify and consent.
    public static let sheddingHighPercent = 85
    /// See `sheddingHighPercent`.
    public static let sheddingSeverePercent = 95
    /// Bits that remember who has been warm. A power of two.
    public static let warmVisitorBits = 1 << 22

    // MARK: - Rates

    /// Addresses and visitors whose rate is known at a time. A power of two; eight bytes each.
    public static let rateSendersMaximum = 1 << 18
    /// The highest rate and burst that may be set.
    public static let rateMaximum = 1_000_000
    /// Requests a second from one address when nothing is set. A household needs a few.
    public static let addressRequestsPerSecondDefault = 500
    /// Events a second of one visitor when nothing is set: one visitor must not fill a worker.
    public static let visitorEventsPerSecondDefault = 500
    /// Seconds of its rate that a sender may use up at once when nothing is set.
    public static let burstSecondsDefault = 4

    // MARK: - What was refused

    /// Bytes kept of a refused request or event that can be sent again: all of it, up to here.
    public static let rejectedBytesMaximum = 64 * 1024
    /// Bytes kept of one that cannot: enough to see what it was.
    public static let rejectedPrefixBytesMaximum = 8 * 1024
    /// Rejections of one listener that are kept in a second; more are counted only.
    public static let rejectionsPerSecondMaximum = 50
    /// Bytes of rejections that one listener keeps in a second.
    public static let rejectedBytesPerSecondMaximum = 256 * 1024
    /// Bytes of the site key that are kept with a rejection.
    public static let rejectedKeyBytesMaximum = 64
    /// Bytes of an event's id that are kept with a rejection.
    public static let rejectedIdBytesMaximum = 128
    /// Days that rejected events are kept in PostgreSQL when nothing is set.
    public static let rejectedDaysDefault = 14
    /// The most days that an operator may keep them.
    public static let rejectedDaysMaximum = 90
    /// How long an erasure waits for transactions that began before it, until it goes on and says so.
    public static let erasureReadersMilliseconds: Int64 = 600_000
    /// Bytes of the eraser's rings, to the journal and back: 256 erasures and their answers.
    public static let eraserRingBytes = 1 << 18
    /// Days that rows of events are kept when nothing is set: 13 months.
    public static let eventDaysDefault = 396
    /// The longest that rows of events, sessions, touches and conversions may be kept: 25 months.
    public static let eventDaysMaximum = 761
    /// Days that points of score history are kept when nothing is set.
    public static let scoreHistoryDaysDefault = 90
    /// Days that settled deliveries are kept when nothing is set.
    public static let deliveryDaysDefault = 90
    /// The longest that score history and deliveries may be kept.
    public static let historyDaysMaximum = 396
    /// Days that sealed payloads of deliveries that failed are kept.
    public static let deliveryPayloadDays = 7
    /// Days that proof of consent and of erasures is kept: three years.
    public static let proofDays = 1_096
    /// How often rows are looked at for their age.
    public static let retentionEveryMilliseconds: Int64 = 3_600_000
    /// Subjects of whom nothing may be taken, at a time.
    public static let suppressedSubjectsMaximum = 1 << 19
    /// Days for which nothing is taken of somebody who was erased: 13 months.
    public static let suppressionDays = 396

    // MARK: - Clocks

    /// An event older than this is moved up to it: what is older no longer changes closed days.
    public static let eventAgeMillisecondsMaximum = 7 * 86_400_000
    /// Clock difference that a single sample may show before it is believed and corrected.
    public static let clockToleranceMilliseconds = 60_000
    /// A correction beyond this marks the event as moved.
    public static let clockMovedMilliseconds = 600_000

    // MARK: - Rings and journal

    /// Bytes of a ring between two threads. A power of two.
    public static let ringBytes = 4 * 1024 * 1024
    /// Bytes of the ring from a listener to the journal: it takes a server's largest request, whose
    /// every event may become a slice with a head of its own, with room for others beside it.
    public static let listenerRingBytes = 16 * 1024 * 1024
    /// Bytes of the slices that one request may become.
    public static let bundleBytesMaximum = 6 * 1024 * 1024
    /// Bytes of one journal record: a whole batch of one visitor.
    public static let recordBytesMaximum = 128 * 1024
    /// Bytes of a group that one `fdatasync` makes durable.
    public static let groupBytesMaximum = 1024 * 1024
    /// Batches of a group.
    public static let groupBatchesMaximum = 4096
    /// Smallest and largest segment file, and the one taken when nothing is set.
    public static let segmentBytesMinimum = 4 * 1024 * 1024
    /// See `segmentBytesMinimum`.
    public static let segmentBytesMaximum = 1024 * 1024 * 1024
    /// See `segmentBytesMinimum`.
    public static let segmentBytesDefault = 64 * 1024 * 1024
    /// Bytes of disk that the journal may take when nothing is set.
    public static let diskBudgetBytesDefault = 4 * 1024 * 1024 * 1024
    /// The least a disk budget must hold: the segment written, the one before, and one preallocated.
    public static let diskBudgetSegmentsMinimum = 3
    /// Disk left free for others; below it the journal refuses.
    public static let diskFreeBytesMinimum = 256 * 1024 * 1024

    // MARK: - Deduplication

    /// How long a window's numbers are remembered, if memory allows.
    public static let deduplicationMilliseconds = 24 * 3_600_000
    /// Memory for windows.
    public static let deduplicationBytesMaximum = 256 * 1024 * 1024
    /// Gaps in a window's numbers before its batches are refused.
    public static let windowIntervalsMaximum = 64

    // MARK: - Scoring state and checkpoints

    /// Seconds between checkpoints that an operator may choose.
    public static let checkpointSecondsMinimum = 10
    /// See `checkpointSecondsMinimum`.
    public static let checkpointSecondsMaximum = 60
    /// Seconds between checkpoints when nothing is set.
    public static let checkpointSecondsDefault = 20
    /// Checkpoints kept per partition.
    public static let checkpointGenerations = 2
    /// Scoring models that the list of which scored what holds, each with its file.
    public static let modelsKept = 64
    /// Examples of a partition whose outcome is not known yet, about 330 bytes each; with more, sessions
    /// are not asked. All partitions together: 32 768.
    public static let learnOpenMaximum = 128
    /// Examples of a partition that wait to become part of an edition; with more, they are lost. An
    /// edition comes long before, unless the disk refuses it.
    public static let learnClosedMaximum = 1_024
    /// When so many examples wait, they become an edition before its time.
    public static let learnEditionExamples = 8_192
    /// Records of the journal whose examples are looked at together.
    public static let learnBlockRecords: UInt64 = 32
    /// Editions of what was learned that are kept, so that scores of before can be verified: two days of
    /// hours. About 5 KB a site each.
    public static let learnEditionsKept = 48
    /// State of one tracked visitor, everything included.
    public static let visitorStateBytesMaximum = 1024
    /// Mebibytes of memory for visitors when nothing is set: some 600 000. Those unseen for longest go to
    /// files beside the checkpoints.
    public static let visitorsMebibytesDefault = 512
    /// The least and the most that an operator may set.
    public static let visitorsMebibytesMinimum = 16
    /// See `visitorsMebibytesMinimum`.
    public static let visitorsMebibytesMaximum = 1 << 20
    /// Share of that memory that visitors fill before some leave; the rest is for those who come while
    /// these are written out.
    public static let visitorsPercent = 75
    /// One in so many of a partition's visitors leaves at a time.
    public static let coldShare = 3
    /// The most that leave a partition at a time: writing out their states takes some milliseconds.
    public static let coldLeaversMaximum = 4_096
    /// Files with idle visitors of a partition before the newest of them are merged.
    public static let coldFilesMaximum = 8
    /// Files of a like size that are merged into one.
    public static let coldFilesMerged = 4
    /// Attempts to read an idle visitor's state, a second apart, before it counts as lost.
    public static let coldReadAttemptsMaximum = 10
    /// Time between two such attempts of a fold that nobody waits for.
    public static let coldRereadMicroseconds: UInt32 = 100_000
    /// Idle visitors that one pipeline brings back to a Redis that has lost them.
    public static let coldResyncVisitorsMaximum = 256
    /// Browsers of a person: an id that more of them share is no person's, and all are read alone.
    public static let identityMembersMaximum = 64
    /// Copies of identified visitors' sums in memory, of a hundred visitors that may be there; beyond,
    /// the persons nobody has seen for longest are read as if they had just begun to be identified.
    public static let identityCopiesPercent = 25
    /// Packed sums in the `state` field of Redis.
    public static let packedStateBytesMaximum = 600

    // MARK: - Live minutes

    /// Minutes that are kept for writing them to Redis again.
    public static let liveMinutesKept = 48 * 60
    /// Bytes of a partition's minutes that are over, all sites together. Two days of a busy site take
    /// about 200 KiB without pages.
    public static let liveMinuteBytesMaximum = 384 * 1024
    /// Bytes that one of them may take.
    public static let liveMinuteEntryBytesMaximum = 4 * 1024
    /// Minutes of a partition, all sites together, that are counted in without unpacking.
    public static let liveMinutesOpenMaximum = 256
    /// Milliseconds between two writes of a minute that goes on.
    public static let liveMinuteWriteMilliseconds: Int64 = 250
    /// Minutes that a reader may ask for at once.
    public static let companionMinutesMaximum = 180
    /// Minutes in an answer when nothing is asked for.
    public static let companionMinutesDefault = 60
    /// Pages in an answer about minutes.
    public static let companionPagesMaximum = 20

    // MARK: - Stores

    /// First pause before trying a store again.
    public static let storeBackoffMillisecondsMinimum = 50
    /// Longest pause before trying a store again.
    public static let storeBackoffMillisecondsMaximum = 5_000
    /// How long a store may take to answer before the connection is given up.
    public static let storeDeadlineMilliseconds = 10_000
    /// How long connecting to a store may take.
    public static let storeConnectMilliseconds = 2_000
    /// Visitors in one Redis pipeline.
    public static let redisPipelineVisitorsMaximum = 512
    /// Rows in one PostgreSQL transaction.
    public static let archiveRowsMaximum = 50_000
    /// Longest that rows wait for their transaction to fill.
    public static let archiveDelayMilliseconds = 250
    /// Members of `hot`.
    public static let hotVisitorsMaximum = 10_000
    /// How long a visitor stays in `hot` without an event.
    public static let hotAgeMilliseconds = 24 * 3_600_000
    /// Seconds between rewrites of `hot`.
    public static let hotSweepSeconds = 60
    /// How long a silent visitor's hash stays in Redis.
    public static let visitorAgeMilliseconds = 60 * 86_400_000
    /// What a client is told to wait after a 503, in seconds.
    public static let retryAfterSeconds = 2

    // MARK: - Enrichment

    /// What is looked at of a user agent. Applications' own reach 400 bytes.
    public static let agentBytesMaximum = 1024
    /// Words that tell programs from people, built in and the operator's own.
    public static let agentWordsMaximum = 4_000
    /// One such word.
    public static let agentWordBytesMaximum = 64
    /// All such words: each byte is at most one of the automaton's 16-bit states.
    public static let agentWordsBytesMaximum = 28_000
    /// User agents that a listener remembers. A power of two.
    public static let agentCacheEntries = 4_096
    /// What enrichment may add to a context about one user agent.
    public static let agentFragmentBytesMaximum = 224
    /// The name of a country, region or city.
    public static let placeNameBytesMaximum = 48
    /// A host name (RFC 1035 section 2.3.4).
    public static let hostBytesMaximum = 253
    /// A part of a page address that is looked at for a campaign, decoded.
    public static let campaignBytesMaximum = 128

    // MARK: - Settings and logs

    /// A settings file.
    public static let settingsFileBytesMaximum = 1024 * 1024
    /// Sites of one process.
    public static let sitesMaximum = 4_096
    /// Keys of a site, so that one can be replaced while the other is still in use.
    public static let siteKeysMaximum = 8
    /// Origins of a site.
    public static let siteOriginsMaximum = 256
    /// URL parameters a site may add to those kept for every site.
    public static let siteParametersMaximum = 64
    /// Rules for custom events of a site.
    public static let siteEventRulesMaximum = 256
    /// Destinations of a site.
    public static let siteDestinationsMaximum = 16
    /// What a site may declare of its conversions beyond what every conversion may have.
    public static let conversionExtrasMaximum = 10
    /// A trait that is normalised for platforms.
    public static let traitBytesMaximum = 512
    /// Values of one field that a platform is told: Google takes three.
    public static let traitValuesMaximum = 3
    /// The URL of a webhook.
    public static let webhookURLBytesMaximum = 1024
    /// What an operator may set for a destination's deadlines.
    public static let destinationMillisecondsMinimum = 100
    /// What an operator may set for a destination's deadlines.
    public static let destinationMillisecondsMaximum = 60_000
    /// From the first byte of a connection's making until it stands.
    public static let destinationConnectMillisecondsDefault = 1_000
    /// From a request until its answer has been read. Meta answers most within 600 ms.
    public static let destinationAnswerMillisecondsDefault = 3_000
    /// The longest answer of a destination that is read.
    public static let destinationAnswerBytesMaximum = 64 * 1024
    /// How long a forwarder may keep what it has claimed; another takes it over after that. A request
    /// begins within a third of it.
    public static let deliveryLeaseMilliseconds = 30_000
    /// How often the outbox is asked for what is due.
    public static let outboxPollMilliseconds = 250
    /// How often it is asked what waits.
    public static let outboxBacklogMilliseconds = 5_000
    /// Outcomes that are written together.
    public static let outboxSettlementsMaximum = 2_000
    /// Claimed deliveries of a destination whose requests hold few.
    public static let laneParcelsMinimum = 200
    /// Requests of a destination without an answer.
    public static let laneRequestsMaximum = 4
    /// Requests of a forwarder without an answer.
    public static let forwarderRequestsMaximum = 64
    /// How long answers on their way, and what became of them, are waited for at the end.
    public static let forwarderStopMilliseconds = 5_000
    /// Deliveries whose outcomes are remembered beside the database, about 80 bytes each.
    public static let outcomesMaximum = 2_000_000
    /// A site's name. It is part of every Redis key and fits a `ShortText`.
    public static let siteNameBytesMaximum = 32
    /// An origin: scheme, host name of at most 253 bytes, port.
    public static let originBytesMaximum = 272
    /// One line of the log.
    public static let logLineBytesMaximum = 8 * 1024

    // MARK: - Consent

    /// Names of visitors without cookies that a listener remembers for half an hour, so that a visit
    /// over midnight keeps its name; a power of two.
    public static let cookielessNamesRemembered = 16_384
    /// Bytes of a consent string that are read and kept with a choice.
    public static let consentStringBytesMaximum = 2_048
}
