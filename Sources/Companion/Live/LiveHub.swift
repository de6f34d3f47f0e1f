import Settings
import Synchronization

/// One message for the readers of a site's live stream.
struct LiveMessage: Sendable, Equatable {
    /// Number in the hub's life, so that a reader can say where it stopped.
    let sequence: UInt64
    /// Name of the server-sent event.
    let event: String
    /// One line of JSON.
    let data: String
}

/// Who watches which site, what they may have missed, and which visitors were seen last.
///
/// Every field is behind one lock, taken for a burst of messages at a time and never while waiting.
final class LiveHub: Sendable {
    /// A reader's end of the stream. It ends when the reader was too slow or the hub closes.
    struct Subscription: Sendable {
        let identifier: UInt64
        let messages: AsyncStream<LiveMessage>
        /// What was missed since the given sequence; nil when it cannot be told any more.
        let missed: [LiveMessage]?
    }

    fileprivate struct Reader {
        let continuation: AsyncStream<LiveMessage>.Continuation
        let tooSlow: @Sendable () -> Void
    }

    fileprivate struct SiteState {
        var readers: [UInt64: Reader] = [:]
        var replay: [LiveMessage] = []
        var recent = RecentVisitors()
        var interestUntilMilliseconds: Int64 = 0
        /// Whether Redis sends us the site's messages.
        var isListening = false
        /// Whether `recent` misses nothing: we have been listening since before it was filled.
        var isSeeded = false
    }

    fileprivate struct State {
        var sites: [SiteState]
        var nextIdentifier: UInt64 = 1
        var sequence: UInt64 = 0
        var readerCount = 0
        var slowReaders = 0
        var isClosed = false
    }

    /// Name of a message that only keeps the connection alive.
    static let heartbeat = "heartbeat"
    /// Stands for "of an earlier start": nothing can be told about what was missed since.
    static let unknownSequence = UInt64.max

    /// Changes with every start, so that numbers of an earlier process are not taken for ours.
    let epoch: String
    private let state: Mutex<State>
    /// Called when the set of watched sites may have changed.
    private let interestChanged: @Sendable () -> Void

    init(siteCount: Int, epoch: String, interestChanged: @escaping @Sendable () -> Void) {
        self.epoch = epoch
        self.interestChanged = interestChanged
        state = Mutex(State(sites: Array(repeating: SiteState(), count: siteCount)))
    }

    // MARK: - Readers

    /// Adds a reader; nil when there are too many, or the hub is closed.
    func subscribe(
        site: Int,
        after sequence: UInt64?,
        tooSlow: @escaping @Sendable () -> Void
    ) -> Subscription? {
        let (messages, continuation) = AsyncStream.makeStream(
            of: LiveMessage.self,
            bufferingPolicy: .bufferingOldest(Limits.companionStreamMessagesMaximum)
        )
        let reader = Reader(continuation: continuation, tooSlow: tooSlow)
        let added = state.withLock { state -> (UInt64, [LiveMessage]?)? in
            guard !state.isClosed, state.readerCount < Limits.companionStreamsMaximum else {
                return nil
            }
            let identifier = state.nextIdentifier
            state.nextIdentifier += 1
            state.readerCount += 1
            state.sites[site].readers[identifier] = reader
            return (identifier, state.missed(site, after: sequence))
        }
        guard let (identifier, missed) = added else { return nil }
        interestChanged()
        return Subscription(identifier: identifier, messages: messages, missed: missed)
    }

    /// Removes a reader and ends its stream.
    func unsubscribe(_ identifier: UInt64, site: Int) {
        let reader = state.withLock { $0.remove(identifier, site) }
        reader?.continuation.finish()
        interestChanged()
    }

    /// Ends every stream and takes no more readers.
    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            return state.sites.flatMap { $0.readers.values }
        }
        for reader in readers { reader.continuation.finish() }
    }

    /// Open streams, and those ever ended for slowness.
    var readerCounts: (open: Int, slow: Int) {
        state.withLock { ($0.readerCount, $0.slowReaders) }
    }

    // MARK: - Messages

    /// Tells a site's readers of score changes, and remembers who was seen.
    func publish(site: Int, _ changes: [ScoreChange]) {
        let tooSlow = state.withLock { state in
            for change in changes {
                state.sites[site].recent.note(change.visitor, at: change.updated)
            }
            return state.send(site, "score", changes.map(\.data))
        }
        for reader in tooSlow { reader.end() }
    }

    /// Notes that a site's visitor was seen, without telling anyone.
    func note(site: Int, visitor: String, at milliseconds: Int64) {
        state.withLock { $0.sites[site].recent.note(visitor, at: milliseconds) }
    }

    /// Tells everybody that messages may have been missed, after Redis was away.
    func tellGap(reason: String) {
        let tooSlow = state.withLock { state -> [Reader] in
            state.sites.indices.flatMap { site in
                state.sites[site].replay = []
                return state.send(site, "gap", ["{\"reason\":\"\(reason)\"}"])
            }
        }
        for reader in tooSlow { reader.end() }
    }

    /// Sends something to every reader, so that connections stay open and dead ones are noticed.
    func beat() {
        let tooSlow = state.withLock { state in
            state.sites.indices.flatMap { state.beat($0) }
        }
        for reader in tooSlow { reader.end() }
    }

    // MARK: - Newest visitors

    /// The visitors of a site that were seen last, newest first.
    func newest(site: Int, limit: Int) -> [String] {
        state.withLock { $0.sites[site].recent.newest(limit) }
    }

    /// Notes that somebody looks at the site.
    func showInterest(site: Int, now: Int64) {
        let isNew = state.withLock { state in
            let wasWanted = state.isWanted(site, now)
            state.sites[site].interestUntilMilliseconds =
                now + Int64(Limits.companionInterestSeconds) * 1_000
            return !wasWanted
        }
        if isNew { interestChanged() }
    }

    /// Whether the list of newest visitors misses nothing, and whether messages are coming.
    func recentState(site: Int) -> (isSeeded: Bool, isListening: Bool) {
        state.withLock { ($0.sites[site].isSeeded, $0.sites[site].isListening) }
    }

    /// Notes that the list has been filled from Redis, begun while messages were coming.
    func markSeeded(site: Int) {
        state.withLock { state in state.sites[site].isSeeded = state.sites[site].isListening }
    }

    /// Notes whether Redis sends us the site's messages.
    func setListening(site: Int, _ isListening: Bool) {
        state.withLock { state in
            state.sites[site].isListening = isListening
            if !isListening { state.sites[site].isSeeded = false }
        }
    }

    /// The sites that somebody watches or has just looked at.
    func wantedSites(now: Int64) -> [Int] {
        state.withLock { state in state.sites.indices.filter { state.isWanted($0, now) } }
    }
}

extension LiveHub.Reader {
    fileprivate func end() {
        continuation.finish()
        tooSlow()
    }
}

extension LiveHub.State {
    fileprivate func isWanted(_ site: Int, _ now: Int64) -> Bool {
        !isClosed
            && (!sites[site].readers.isEmpty || sites[site].interestUntilMilliseconds > now)
    }

    /// What came after `sequence`; nil when some of it is forgotten. A new reader misses nothing.
    fileprivate func missed(_ site: Int, after sequence: UInt64?) -> [LiveMessage]? {
        guard let sequence else { return [] }
        if sequence == LiveHub.unknownSequence { return nil }
        guard let first = sites[site].replay.first, first.sequence <= sequence + 1 else {
            return sequence == self.sequence ? [] : nil
        }
        return sites[site].replay.filter { $0.sequence > sequence }
    }

    fileprivate mutating func remove(_ identifier: UInt64, _ site: Int) -> LiveHub.Reader? {
        guard let reader = sites[site].readers.removeValue(forKey: identifier) else { return nil }
        readerCount -= 1
        return reader
    }

    /// Hands messages to all readers, and returns those that had no room, already removed.
    fileprivate mutating func send(_ site: Int, _ event: String, _ data: [String])
        -> [LiveHub.Reader]
    {
        var full: Set<UInt64> = []
        for line in data {
            sequence += 1
            let message = LiveMessage(sequence: sequence, event: event, data: line)
            sites[site].replay.append(message)
            for (identifier, reader) in sites[site].readers {
                if case .dropped = reader.continuation.yield(message) { full.insert(identifier) }
            }
        }
        let excess = sites[site].replay.count - Limits.companionReplayMessagesMaximum
        if excess > 0 { sites[site].replay.removeFirst(excess) }
        return dismiss(full, site)
    }

    fileprivate mutating func beat(_ site: Int) -> [LiveHub.Reader] {
        let message = LiveMessage(sequence: 0, event: LiveHub.heartbeat, data: "")
        let full = sites[site].readers.filter { _, reader in
            if case .dropped = reader.continuation.yield(message) { return true }
            return false
        }
        return dismiss(Set(full.keys), site)
    }

    private mutating func dismiss(_ full: Set<UInt64>, _ site: Int) -> [LiveHub.Reader] {
        slowReaders += full.count
        return full.compactMap { remove($0, site) }
    }
}
