import Records

extension Limits {
    /// A relation between limits that must hold, and why.
    struct Relation {
        let holds: Bool
        let reason: String

        init(_ holds: Bool, _ reason: String) {
            self.holds = holds
            self.reason = reason
        }
    }

    /// The relations that are broken, in words. Empty when the limits agree.
    public static func check() -> [String] {
        (framing + batches + durability + stores + companion).filter { !$0.holds }.map(\.reason)
    }

    private static var framing: [Relation] {
        [
            Relation(
                headerLineBytesMaximum <= headerBytesMaximum,
                "a header line fits the headers"
            ),
            Relation(
                batchEventBytesMaximum < bodyBytesMaximum,
                "a body larger than a batch is read, so that its refusal can be precise"
            ),
            Relation(
                bodyBytesMaximum <= inflatedBytesMaximum,
                "a body that is allowed plain is allowed compressed"
            ),
            Relation(
                inflateRatioFreeBytes >= batchEventBytesMaximum,
                "an honest batch is never refused for its ratio"
            ),
            Relation(
                requestIdleMilliseconds < requestDeadlineMilliseconds,
                "silence within a request is noticed before its deadline"
            ),
            Relation(
                bodyRateWindowMilliseconds <= requestDeadlineMilliseconds,
                "a slow body is noticed within a request's deadline"
            ),
            Relation(
                bodyBytesMaximum / bodyRateBytesPerSecondMinimum * 1_000
                    < requestWholeMilliseconds,
                "a body at the least rate is never late"
            ),
            Relation(
                heldBytesMinimum >= 2 * (headerBytesMaximum + serverBodyBytesMaximum)
                    && heldBytesDefault >= heldBytesMinimum,
                "the largest request fits the memory for unfinished ones"
            ),
            Relation(
                scoreReplyMilliseconds < requestIdleMilliseconds,
                "waiting for a score does not look like a dead client"
            ),
            Relation(
                chunkSizeDigitsMaximum < 16,
                "a chunk's size cannot overflow 64 bits"
            ),
        ]
    }

    private static var batches: [Relation] {
        [
            Relation(
                batchEventsMaximum == Slice.eventsMaximum,
                "a batch of one visitor fits a slice"
            ),
            Relation(eventBytesMaximum <= batchEventBytesMaximum, "an event fits a batch"),
            Relation(
                urlBytesMaximum + referrerBytesMaximum + titleBytesMaximum < eventBytesMaximum,
                "a page view at its limits fits an event"
            ),
            Relation(propertyBytesMaximum < eventBytesMaximum, "properties fit an event"),
            Relation(
                serverEventBytesMaximum * 2 <= recordBytesMaximum,
                "a server's event fits a record with what is written around it"
            ),
            Relation(
                max(idBytesMaximum, siteNameBytesMaximum, keyBytesMaximum) <= 63,
                "ids and names fit a ShortText"
            ),
            Relation(userIdBytesMaximum <= 255, "a user id fits a length byte"),
            Relation(contextBytesMaximum <= 65_535, "a context fits its two length bytes"),
            Relation(
                recordBytesMaximum
                    >= batchEventBytesMaximum + contextBytesMaximum + RecordHeader.size
                    + batchEventsMaximum * SliceEvent.headSize + 9 + 7 * 256,
                "a whole batch fits a record"
            ),
            Relation(
                clockToleranceMilliseconds < clockMovedMilliseconds
                    && clockMovedMilliseconds < eventAgeMillisecondsMaximum,
                "clock limits grow in order"
            ),
        ]
    }

    private static var durability: [Relation] {
        [
            Relation(
                batchEventBytesMaximum + contextBytesMaximum <= rejectedBytesMaximum
                    && rejectedPrefixBytesMaximum <= rejectedBytesMaximum,
                "a refused batch of the SDK can be kept whole"
            ),
            Relation(
                rejectedBytesMaximum + 8 * 256 + RecordHeader.size <= recordBytesMaximum
                    && rejectedBytesMaximum <= rejectedBytesPerSecondMaximum,
                "a rejection fits a record and a second's budget"
            ),
            Relation(
                1 <= rejectedDaysDefault && rejectedDaysDefault <= rejectedDaysMaximum,
                "the default days of rejected events are within their bounds"
            ),
            Relation(ringBytes & (ringBytes - 1) == 0, "a ring's size is a power of two"),
            Relation(recordBytesMaximum * 4 <= ringBytes, "several records fit a ring"),
            Relation(
                listenerRingBytes & (listenerRingBytes - 1) == 0
                    && bundleBytesMaximum * 2 <= listenerRingBytes,
                "the slices of a request fit the listener's ring beside those of another"
            ),
            Relation(
                serverBodyBytesMaximum < bundleBytesMaximum,
                "the largest request fits a bundle"
            ),
            Relation(recordBytesMaximum <= groupBytesMaximum, "a record fits a group"),
            Relation(
                groupBytesMaximum * 2 <= segmentBytesMinimum,
                "groups fit the smallest segment"
            ),
            Relation(
                segmentBytesMinimum <= segmentBytesDefault
                    && segmentBytesDefault <= segmentBytesMaximum,
                "the default segment is within its bounds"
            ),
            Relation(
                segmentBytesDefault * diskBudgetSegmentsMinimum <= diskBudgetBytesDefault,
                "the default disk budget holds the segments it must"
            ),
            Relation(
                checkpointSecondsMinimum <= checkpointSecondsDefault
                    && checkpointSecondsDefault <= checkpointSecondsMaximum,
                "the default checkpoint period is within its bounds"
            ),
            Relation(checkpointGenerations >= 2, "one checkpoint survives a bad newest one"),
            Relation(
                packedStateBytesMaximum <= visitorStateBytesMaximum,
                "packed sums are no larger than the state"
            ),
        ]
    }

    private static var stores: [Relation] {
        [
            Relation(
                storeBackoffMillisecondsMinimum < storeBackoffMillisecondsMaximum,
                "pauses between tries can grow"
            ),
            Relation(
                storeConnectMilliseconds < storeDeadlineMilliseconds,
                "connecting is given up before an answer is"
            ),
            Relation(
                connectionsDefault <= connectionsMaximum,
                "the default number of connections may be chosen"
            ),
            Relation(
                hotSweepSeconds * 1_000 < hotAgeMilliseconds
                    && hotAgeMilliseconds < visitorAgeMilliseconds,
                "a visitor leaves hot before its hash ends"
            ),
            Relation(workersMaximum <= Partition.count, "each worker can own a partition"),
        ]
    }

    private static var companion: [Relation] {
        [
            Relation(
                companionVisitorsDefault <= companionVisitorsMaximum
                    && companionVisitorsMaximum <= companionRecentMaximum,
                "an answer holds no more visitors than are remembered"
            ),
            Relation(
                companionStreamsMaximum < companionConnectionsMaximum,
                "streams leave connections for pages"
            ),
            Relation(
                archiveReadMilliseconds + traceMilliseconds <= storeDeadlineMilliseconds,
                "a question to the archive ends before its connection is given up"
            ),
            Relation(
                companionHeartbeatSeconds < companionStreamSeconds,
                "a stream has heartbeats"
            ),
            Relation(
                companionStreamMessagesMaximum <= companionReplayMessagesMaximum,
                "a reader that is let go for slowness can come back without a gap"
            ),
            Relation(
                sessionIdleSeconds < sessionSeconds,
                "a session can end for want of use"
            ),
            Relation(
                auditBatchMaximum <= auditWaitingMaximum,
                "a statement holds no more reads than may wait"
            ),
        ]
    }
}
