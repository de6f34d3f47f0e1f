import Foundation
import Settings
import Synchronization
import Units

/// Up to when everything that was received is in the rows: the moment before the first record of the
/// journal that PostgreSQL lacks. Any task may ask.
final class QueryFreshness: Sendable {
    private struct Look {
        let at: Int64
        let asOf: Int64?
    }

    private let journal: (any JournalSearch)?
    private let time: TimeSource
    /// What the newest look has found. It stays true, and is only too modest, as rows come in.
    private let last = Mutex<Look?>(nil)

    init(journal: (any JournalSearch)?, time: TimeSource) {
        (self.journal, self.time) = (journal, time)
    }

    /// To be asked before the figures, in their transaction.
    let question = ArchiveQuery(EventTracer.allPositions)

    /// By the answer to `question`. Looking may read a segment of the journal, so it is not done for
    /// every question.
    func asOf(_ positions: [ArchiveRow], _ archive: ArchiveReaders) async throws -> Date? {
        guard let journal else { return nil }
        let now = time.epochMilliseconds()
        let known = last.withLock { look in
            look.flatMap { now - $0.at < Limits.queryFreshnessMilliseconds ? $0 : nil }
        }
        if let known { return Self.date(known.asOf) }
        let offsets = EventTracer.positions(positions)
        let tail = try await archive.run { journal.firstReceived(behind: offsets) }
        let asOf: Int64? =
            switch tail {
            case .nothing: now
            case .since(let received): min(now, received)
            case .unknown: nil
            }
        last.withLock { $0 = Look(at: now, asOf: asOf) }
        return Self.date(asOf)
    }

    private static func date(_ milliseconds: Int64?) -> Date? {
        milliseconds.map { Date(timeIntervalSince1970: Double($0) / 1_000) }
    }
}
