/// Looks for events in the part of the journal that PostgreSQL has not taken yet. The engine has one
/// when the companion runs beside the journal.
public protocol JournalSearch: Sendable {
    /// Looks behind `positions`, the offset of each partition that PostgreSQL has taken. Bounded; may
    /// wait for the disk.
    func find(_ event: EventName, behind positions: [UInt64]) -> JournalFinding

    /// When the first record behind `positions` was received. Bounded; may wait for the disk.
    func firstReceived(behind positions: [UInt64]) -> JournalTail
}

/// What the journal has that PostgreSQL lacks.
public enum JournalTail: Sendable, Equatable {
    /// Not a record.
    case nothing
    /// Records from then on, epoch milliseconds.
    case since(Int64)
    /// The journal could not be read.
    case unknown
}

/// Under which names an event may be found.
public struct EventName: Sendable, Equatable {
    /// The site that the event belongs to.
    public let site: String
    /// The id as it was asked for: perhaps the sender's own.
    public let id: String
    /// Window id and number, when the id may be one of the SDK's.
    public let window: String?
    /// See `window`.
    public let number: UInt32

    /// The event called `id` on `site`; nil when no event can be called so.
    public init?(site: String, id: String) {
        guard (1...Self.bytesMaximum).contains(id.utf8.count),
            id.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.site = site
        self.id = id
        guard let dash = id.lastIndex(of: "-"), dash > id.startIndex,
            let number = UInt32(id[id.index(after: dash)...]), number > 0
        else {
            (window, self.number) = (nil, 0)
            return
        }
        (window, self.number) = (String(id[..<dash]), number)
    }

    /// Longer ids exist nowhere.
    static let bytesMaximum = 128
}

/// What the journal says about an event.
public enum JournalFinding: Sendable, Equatable {
    /// It is there.
    case found(JournaledEvent)
    /// It is not behind the positions.
    case absent
    /// There was more than may be looked at for one question, or it could not be read.
    case unknown
}

/// An event that is in the journal and not yet in PostgreSQL.
public struct JournaledEvent: Sendable, Equatable {
    /// Partition and offset of its record.
    public let partition: UInt8
    /// See `partition`.
    public let offset: UInt64
    /// When its request arrived, epoch milliseconds.
    public let receivedAt: Int64
    /// Consent bits of its visitor.
    public let consent: UInt8
    /// Whether it repeats an earlier one and has no effect.
    public let isRepeat: Bool
    /// Whether its visitor is an automated browser.
    public let isBot: Bool
    /// Why it was refused, and where; nil when it was taken.
    public let refusal: Refusal?

    /// Why an event was refused, and the place in its request.
    public struct Refusal: Sendable, Equatable {
        /// Code of the problem.
        public let reason: String
        /// Where it lies.
        public let place: String

        /// A refusal from its parts.
        public init(reason: String, place: String) {
            self.reason = reason
            self.place = place
        }
    }

    /// An event from its parts.
    public init(
        partition: UInt8,
        offset: UInt64,
        receivedAt: Int64,
        consent: UInt8,
        isRepeat: Bool,
        isBot: Bool,
        refusal: Refusal?
    ) {
        self.partition = partition
        self.offset = offset
        self.receivedAt = receivedAt
        self.consent = consent
        self.isRepeat = isRepeat
        self.isBot = isBot
        self.refusal = refusal
    }
}
