/// Things that are counted, in the order of an event's way. The raw value is a slot in a
/// `CounterBlock` and means nothing outside this process.
public enum Counter: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case connectionsAccepted
    case closedByPeer, closedServed, closedIdle, closedCrowdedOut, closedRequestTimeout
    case closedBodyTooSlow, closedWriteTimeout, closedOverloaded, closedTooMany, closedOverflowed
    case closedHandshakeFailed, closedHandshakeTimeout, closedProxyHeader, closedStopping
    case requests, requestBytes, responseBytes
    case batchesAcknowledged, batchesAnswered, eventsReceived, eventsAcknowledged
    case unknownKeys, eventsLostByClients, textsShortened
    case sealsWithoutKey, sealsTooLarge, conversions
    case consentMalformed, consentWithdrawn
    case rejectionsKept, rejectionsNotKept, rejectedDaysDropped
    case journalRecords, journalBytes, journalGroups, journalDamage
    case eventsDuplicate, eventsFolded, recordsFolded, ringFallbacks
    case bandChanges, profileChanges
    case redisFlushes, redisVisitors, redisMinutes, redisReconnects, redisWentBack
    case postgresTransactions, postgresEventRows, postgresReconnects, postgresMoved
    case checkpoints, checkpointBytes
    case coldReads, coldReturned, coldLost, coldFilesWritten, coldFilesRemoved
    case companionRequests, companionStreams, companionSlowReaders
    case reloads, reloadsRefused

    /// How a counter is shown: metric, labels, help.
    struct Description {
        let metric: String
        let labels: String
        let help: String

        init(_ metric: String, _ help: String, labels: String = "") {
            self.metric = "heliograph_\(metric)_total"
            self.labels = labels
            self.help = help
        }
    }

    var description: Description {
        switch self {
        case .connectionsAccepted, .requests, .requestBytes, .responseBytes:
            return intakeDescription
        case .closedByPeer, .closedServed, .closedIdle, .closedCrowdedOut, .closedRequestTimeout,
            .closedBodyTooSlow, .closedWriteTimeout, .closedOverloaded, .closedTooMany,
            .closedOverflowed, .closedHandshakeFailed, .closedHandshakeTimeout,
            .closedProxyHeader, .closedStopping:
            return Description(
                "connections_closed",
                "Connections ended, by the reason.",
                labels: "reason=\"\(closeReason)\""
            )
        case .batchesAcknowledged, .batchesAnswered, .eventsReceived, .eventsAcknowledged,
            .unknownKeys, .eventsLostByClients, .textsShortened, .sealsWithoutKey,
            .sealsTooLarge, .consentMalformed, .consentWithdrawn:
            return admissionDescription
        case .rejectionsKept, .rejectionsNotKept, .rejectedDaysDropped:
            return rejectionDescription
        case .journalRecords, .journalBytes, .journalGroups, .journalDamage, .eventsDuplicate:
            return journalDescription
        case .eventsFolded, .recordsFolded, .ringFallbacks, .bandChanges,
            .profileChanges, .checkpoints, .checkpointBytes:
            return scoringDescription
        case .coldReads, .coldReturned, .coldLost, .coldFilesWritten, .coldFilesRemoved:
            return coldDescription
        case .redisFlushes, .redisVisitors, .redisMinutes, .redisReconnects, .redisWentBack,
            .postgresTransactions, .postgresEventRows, .postgresReconnects, .postgresMoved,
            .conversions:
            return storageDescription
        case .companionRequests, .companionStreams, .companionSlowReaders:
            return companionDescription
        case .reloads: return Description("reloads", "Settings read again and in force.")
        case .reloadsRefused:
            return Description("reloads_refused", "Settings read again that had mistakes.")
        }
    }

    private var closeReason: String {
        switch self {
        case .closedByPeer: return "peer"
        case .closedServed: return "served"
        case .closedIdle: return "idle"
        case .closedCrowdedOut: return "crowded-out"
        case .closedRequestTimeout: return "request-timeout"
        case .closedBodyTooSlow: return "body-too-slow"
        case .closedWriteTimeout: return "write-timeout"
        case .closedOverloaded: return "overloaded"
        case .closedTooMany: return "too-many-connections"
        case .closedOverflowed: return "too-large"
        case .closedHandshakeFailed: return "handshake-failed"
        case .closedHandshakeTimeout: return "handshake-timeout"
        case .closedProxyHeader: return "proxy-header"
        default: return "stopping"
        }
    }

    private var intakeDescription: Description {
        switch self {
        case .connectionsAccepted: return Description("connections_accepted", "Connections taken.")
        case .requests: return Description("requests", "HTTP requests read to their end.")
        case .requestBytes: return Description("request_bytes", "Bytes received.")
        default: return Description("response_bytes", "Bytes sent.")
        }
    }

    private var admissionDescription: Description {
        switch self {
        case .batchesAcknowledged:
            return Description("batches", Self.batchesHelp, labels: "status=\"204\"")
        case .batchesAnswered:
            return Description("batches", Self.batchesHelp, labels: "status=\"200\"")
        case .eventsReceived: return Description("events_received", "Events decoded.")
        case .eventsAcknowledged:
            return Description(
                "events_acknowledged",
                "Events of acknowledged batches, repeats included."
            )
        case .unknownKeys: return Description("unknown_keys", "Keys in beacons that were ignored.")
        case .eventsLostByClients:
            return Description("events_lost_by_clients", "Events that SDKs say they had to drop.")
        case .sealsWithoutKey:
            return Description(
                "seals_without_key",
                "Sealed blocks that were left out because the key of the day could not be written."
            )
        case .sealsTooLarge:
            return Description(
                "seals_too_large",
                "Sealed blocks that were left out because they were too large."
            )
        case .consentMalformed:
            return Description(
                "consent_malformed",
                "Consent strings that could not be read and counted as a refusal."
            )
        case .consentWithdrawn:
            return Description(
                "consent_withdrawn",
                "Beacons that took an agreement back and left nothing else."
            )
        default: return Description("texts_shortened", "Texts cut to their limit.")
        }
    }

    private var rejectionDescription: Description {
        switch self {
        case .rejectionsKept:
            return Description("rejections_kept", "Refused events and batches that were kept.")
        case .rejectionsNotKept:
            return Description(
                "rejections_not_kept",
                "Refused events and batches that were counted only, beyond what may be kept."
            )
        default:
            return Description(
                "rejected_days_dropped",
                "Days of rejected events dropped from PostgreSQL, their time being over."
            )
        }
    }

    static let batchesHelp = "Batches by the status they were answered with."

    private var journalDescription: Description {
        switch self {
        case .journalRecords: return Description("journal_records", "Records made durable.")
        case .journalBytes: return Description("journal_written_bytes", "Bytes made durable.")
        case .journalGroups:
            return Description("journal_groups", "Groups of records, one fdatasync each.")
        case .journalDamage:
            return Description("journal_damage", "Damaged stretches found in journal files.")
        default:
            return Description(
                "events_duplicate",
                "Acknowledged events that repeat an earlier one."
            )
        }
    }

    private var scoringDescription: Description {
        switch self {
        case .eventsFolded: return Description("events_folded", "Events that took effect.")
        case .recordsFolded: return Description("records_folded", "Records folded by workers.")
        case .ringFallbacks:
            return Description("ring_fallbacks", "Times a reader went to the journal's files.")
        case .bandChanges: return Description("band_changes", "Visitors that changed their band.")
        case .profileChanges: return Description("profile_changes", "Visitors with a new profile.")
        case .checkpoints: return Description("checkpoints", "Checkpoints written.")
        default: return Description("checkpoint_bytes", "Bytes of checkpoints written.")
        }
    }

    private var coldDescription: Description {
        switch self {
        case .coldReads:
            return Description("cold_reads", "Times a file with idle visitors was read.")
        case .coldReturned:
            return Description("visitors_returned", "Idle visitors taken back into memory.")
        case .coldLost:
            return Description(
                "cold_losses",
                "Reads of idle visitors' files that found them damaged or gone: states begin anew."
            )
        case .coldFilesWritten:
            return Description("cold_files_written", "Files with idle visitors written.")
        default:
            return Description(
                "cold_files_removed",
                "Files with idle visitors removed, no checkpoint needing them."
            )
        }
    }

    private var storageDescription: Description {
        switch self {
        case .redisFlushes: return Description("redis_flushes", "Pipelines that Redis took.")
        case .redisVisitors: return Description("redis_visitors", "Visitors written to Redis.")
        case .redisMinutes:
            return Description("redis_minutes", "Live minutes written to Redis.")
        case .redisReconnects: return Description("redis_reconnects", "Connections to Redis made.")
        case .redisWentBack:
            return Description("redis_went_back", "Partitions that Redis had lost and got again.")
        case .postgresTransactions:
            return Description("postgres_transactions", "Transactions PostgreSQL committed.")
        case .postgresEventRows: return Description("postgres_event_rows", "Event rows committed.")
        case .conversions:
            return Description("conversions", "Conversions found and committed.")
        case .postgresReconnects:
            return Description("postgres_reconnects", "Connections to PostgreSQL made.")
        default:
            return Description(
                "postgres_moved",
                "Partitions whose position in PostgreSQL was not the expected."
            )
        }
    }

    private var companionDescription: Description {
        switch self {
        case .companionRequests:
            return Description("companion_requests", "Requests to the companion.")
        case .companionStreams: return Description("companion_streams", "Live streams opened.")
        default:
            return Description("companion_slow_readers", "Live streams closed for slowness.")
        }
    }
}

/// Things that have a level. The raw value is a slot in a `CounterBlock`.
public enum Gauge: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case connectionsOpen, ringDepthBytes
    case journalDiskBytes, journalBudgetBytes, journalSequence
    case deduplicationWindows, deduplicationSpanSeconds
    case deduplicationMessages, deduplicationMessageSpanSeconds
    case visitorsTracked, visitorBytes, liveMinuteBytes, liveMinutesLetGo
    case visitorsCold, coldDiskBytes, coldMemoryBytes
    case identityCopies, identityCopiesLetGo
    case postgresLagRecords, redisConnected
    case companionStreamsOpen, ready

    /// How a gauge is shown, and whether each thread's value stands for itself.
    struct Description {
        let metric: String
        let help: String
        let isPerThread: Bool

        init(_ metric: String, _ help: String, perThread: Bool = false) {
            self.metric = "heliograph_\(metric)"
            self.help = help
            isPerThread = perThread
        }
    }

    var description: Description {
        switch self {
        case .connectionsOpen: return Description("connections_open", "Open connections.")
        case .ringDepthBytes:
            return Description(
                "ring_depth_bytes",
                "Bytes waiting in a thread's ring.",
                perThread: true
            )
        case .journalDiskBytes: return Description("journal_disk_bytes", "Bytes of journal files.")
        case .journalBudgetBytes:
            return Description("journal_budget_bytes", "Bytes the journal may take.")
        case .journalSequence:
            return Description("journal_sequence", "Number of the last durable record.")
        case .deduplicationWindows:
            return Description("deduplication_windows", "Windows whose numbers are remembered.")
        case .deduplicationSpanSeconds:
            return Description("deduplication_span_seconds", "How far back repeats are recognised.")
        case .deduplicationMessages:
            return Description("deduplication_messages", "Message ids that are remembered.")
        case .deduplicationMessageSpanSeconds:
            return Description(
                "deduplication_message_span_seconds",
                "How far back repeated message ids are recognised."
            )
        case .visitorsTracked: return Description("visitors_tracked", "Visitors in memory.")
        case .visitorBytes: return Description("visitor_bytes", "Memory of visitors' states.")
        case .liveMinuteBytes:
            return Description("live_minute_bytes", "Memory of two days of live minutes.")
        case .liveMinutesLetGo:
            return Description(
                "live_minutes_let_go",
                "Live minutes younger than two days that had no more room, since the start."
            )
        case .visitorsCold:
            return Description(
                "visitors_cold",
                "States of idle visitors in files, those that came back or left twice included."
            )
        case .coldDiskBytes:
            return Description("cold_disk_bytes", "Bytes of files with idle visitors.")
        case .coldMemoryBytes:
            return Description("cold_memory_bytes", "Memory by which idle visitors are found.")
        case .identityCopies:
            return Description("identity_copies", "Browsers that are read as part of a person.")
        case .identityCopiesLetGo:
            return Description(
                "identity_copies_let_go",
                "Browsers of persons nobody saw for long that had no more room, since the start."
            )
        default: return storeDescription
        }
    }

    private var storeDescription: Description {
        switch self {
        case .postgresLagRecords:
            return Description(
                "postgres_lag_records",
                "Durable records that PostgreSQL has not taken."
            )
        case .redisConnected:
            return Description("redis_connected", "1 when connected to Redis.", perThread: true)
        case .companionStreamsOpen:
            return Description("companion_streams_open", "Open live streams.")
        default: return Description("ready", "1 when the engine takes beacons.")
        }
    }
}

/// Things whose duration is measured.
public enum Latency: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case acknowledge, journalSync, freshness, redisFlush, postgresCommit
    case checkpointWrite

    var metric: String {
        switch self {
        case .acknowledge: return "heliograph_acknowledge_seconds"
        case .journalSync: return "heliograph_journal_fsync_seconds"
        case .freshness: return "heliograph_freshness_seconds"
        case .redisFlush: return "heliograph_redis_flush_seconds"
        case .postgresCommit: return "heliograph_postgres_flush_seconds"
        case .checkpointWrite: return "heliograph_checkpoint_write_seconds"
        }
    }

    var help: String {
        switch self {
        case .acknowledge: return "From a beacon's last byte to its acknowledgement."
        case .journalSync: return "One fdatasync of the journal."
        case .freshness: return "From a beacon's last byte to the score in Redis."
        case .redisFlush: return "One pipeline of Redis, sent to answered."
        case .postgresCommit: return "One transaction of PostgreSQL, begun to committed."
        case .checkpointWrite: return "One checkpoint, begun to renamed."
        }
    }
}
