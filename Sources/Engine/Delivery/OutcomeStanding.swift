import Bytes
public import Units

/// One delivery, and which request carries it.
public struct DeliveryMark: Hashable, Sendable {
    /// Stands for site, destination and conversion: numbers of rows are given anew when a database
    /// is set back, these are not.
    public let key: Hash128
    /// Counted from 1.
    public let attempt: Int
    /// What the row said of attempts when it was claimed: tells a crash from a database set back.
    public let attemptsWhenClaimed: Int

    /// A mark from its parts.
    public init(key: Hash128, attempt: Int, attemptsWhenClaimed: Int) {
        self.key = key
        self.attempt = attempt
        self.attemptsWhenClaimed = attemptsWhenClaimed
    }

    /// What stands for a delivery in the log. The key of the hash is fixed: files outlive processes.
    public static func key(site: String, destination: String, conversion: String) -> Hash128 {
        var buffer = ByteBuffer(capacity: 256)
        for text in [site, destination, conversion] {
            buffer.append(text: text)
            buffer.append(0)
        }
        return buffer.view.hash128(key: HashKey(first: 0x6865_6c69, second: 0x6f67_7261))
    }
}

/// A line of the outcome log.
public struct OutcomeNote: Equatable, Sendable {
    /// What happened.
    public enum Kind: UInt8, Sendable {
        /// A request is about to carry it.
        case sending = 1
        /// The platform took it.
        case delivered = 2
        /// The platform did not take it, for sure.
        case notTaken = 3
        /// Nobody knows, and it will be sent again.
        case doubt = 4
        /// It ended, refused.
        case dead = 5
        /// It ended, too old.
        case expired = 6
        /// Nobody knows, and it will not be sent again.
        case inDoubt = 7
    }

    static let size = 32
    static let chunkBytes = 4_096 * size
    static let daysKept: Int32 = 9

    let key: Hash128
    let kind: Kind
    let attempt: UInt16
    let attemptsWhenClaimed: UInt16
    /// Seconds since 1970.
    let at: UInt32

    init(_ mark: DeliveryMark, _ kind: Kind, _ now: Int64) {
        key = mark.key
        self.kind = kind
        attempt = UInt16(clamping: mark.attempt)
        attemptsWhenClaimed = UInt16(clamping: mark.attemptsWhenClaimed)
        at = UInt32(clamping: now / 1_000)
    }

    /// Reads a note; nil when it is torn.
    init?(_ bytes: ByteView) {
        guard let kind = Kind(rawValue: bytes[16]),
            bytes[0..<28].crc32c() == bytes.load(UInt32.self, at: 28)
        else { return nil }
        key = Hash128(
            low: bytes.load(UInt64.self, at: 0),
            high: bytes.load(UInt64.self, at: 8)
        )
        self.kind = kind
        attempt = bytes.load(UInt16.self, at: 18)
        attemptsWhenClaimed = bytes.load(UInt16.self, at: 20)
        at = bytes.load(UInt32.self, at: 24)
    }

    func write(to buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(littleEndian: key.low)
        buffer.append(littleEndian: key.high)
        buffer.append(kind.rawValue)
        buffer.append(0 as UInt8)
        buffer.append(littleEndian: attempt)
        buffer.append(littleEndian: attemptsWhenClaimed)
        buffer.append(littleEndian: 0 as UInt16)
        buffer.append(littleEndian: at)
        buffer.append(littleEndian: buffer.view(from: start).crc32c())
    }

    var day: Int32 { Self.day(Int64(at) * 1_000) }

    static func day(_ milliseconds: Int64) -> Int32 { Int32(clamping: milliseconds / 86_400_000) }
}

/// What a row of the outbox says of a delivery that has just been claimed.
public struct OutboxStand: Sendable, Equatable {
    /// Requests that carried it, as far as the row knows.
    public var attempts: Int
    /// Those whose fate is unknown.
    public var doubts: Int
    /// Whether somebody had claimed it and never said what came of it.
    public var wasInterrupted: Bool
    /// Whether that somebody writes into this folder's log.
    public var isClaimantKnown: Bool

    /// A stand from its parts.
    public init(attempts: Int, doubts: Int, wasInterrupted: Bool, isClaimantKnown: Bool) {
        self.attempts = attempts
        self.doubts = doubts
        self.wasInterrupted = wasInterrupted
        self.isClaimantKnown = isClaimantKnown
    }
}

/// What row and log together say of a claimed delivery.
public enum OutcomeStanding: Equatable, Sendable {
    /// It may be sent; `attempts` requests have carried it.
    case ready(attempts: Int)
    /// A request may have carried it whose end nobody knows: the rule for doubts decides.
    case interrupted(OutcomeToll)
    /// It was taken: only the row does not know.
    case delivered(attempts: Int)
    /// It ended: only the row does not know.
    case ended(OutcomeNote.Kind, OutcomeToll)
    /// The database is older than what was sent, and what was sent has no proven end.
    case unproved(OutcomeToll)
}

/// What a row is to say of the requests that carried a delivery.
public struct OutcomeToll: Equatable, Sendable {
    /// Requests that carried it.
    public var attempts: Int
    /// Those whose fate is unknown.
    public var doubts: Int
    /// Whether the log knows of the last doubt already.
    public var isNoted: Bool

    /// A toll from its parts.
    public init(attempts: Int, doubts: Int, isNoted: Bool) {
        self.attempts = attempts
        self.doubts = doubts
        self.isNoted = isNoted
    }
}

extension OutcomeLog {
    /// Compares what the row says with what was sent from here.
    public func standing(of key: Hash128, _ row: OutboxStand) -> OutcomeStanding {
        if let entry = entries[key] { return standing(entry, row) }
        // A claimant of this folder notes before it sends: no note, nothing sent.
        guard row.wasInterrupted, !row.isClaimantKnown else {
            return .ready(attempts: row.attempts)
        }
        return .interrupted(
            OutcomeToll(attempts: row.attempts + 1, doubts: row.doubts + 1, isNoted: false)
        )
    }

    private func standing(_ entry: Entry, _ row: OutboxStand) -> OutcomeStanding {
        let sent = Int(entry.attempt)
        let known = Int(entry.doubts)
        let isBehind = row.attempts < sent
        let isLast = row.wasInterrupted && row.attempts == Int(entry.attemptsWhenClaimed)
        switch entry.state {
        case .delivered: return .delivered(attempts: max(sent, row.attempts))
        case .dead, .expired, .inDoubt:
            // A row that knows of the last request and yet is due was made so by a person.
            guard isBehind else { return .ready(attempts: row.attempts) }
            let toll = OutcomeToll(attempts: sent, doubts: known, isNoted: true)
            return .ended(entry.state.note, toll)
        case .open:
            guard isBehind else { return .ready(attempts: row.attempts) }
            let toll = OutcomeToll(attempts: sent, doubts: known + 1, isNoted: false)
            return isLast ? .interrupted(toll) : .unproved(toll)
        case .closed:
            // A row that counts every request is no older than the log, whoever else noted a doubt.
            guard isBehind, row.doubts < known else {
                return .ready(attempts: max(sent, row.attempts))
            }
            let toll = OutcomeToll(attempts: sent, doubts: known, isNoted: true)
            // Forwarders may have died one after another before any could tell the row.
            return isLast ? .interrupted(toll) : .unproved(toll)
        }
    }
}

extension OutcomeLog.State {
    fileprivate var note: OutcomeNote.Kind {
        switch self {
        case .dead: return .dead
        case .expired: return .expired
        default: return .inDoubt
        }
    }
}
