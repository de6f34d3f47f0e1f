public import Bytes
import Settings

/// Names of visitors who allow nothing to be kept on their device: the same for a day, and leading
/// from one day to no other. HMAC-SHA-256 under the day's salt of site, address, browser and language.
///
/// A visit that runs over midnight keeps its name: names are remembered for half an hour, those of
/// the day before found again under its salt. Owned by one listener; memory is fixed.
public struct CookielessNames: ~Copyable {
    /// What tells visitors apart who have no id; gone when the name is made.
    public struct Machine {
        /// The address, 4 or 16 bytes.
        public var address = ByteView.empty
        /// `User-Agent`.
        public var userAgent = ByteView.empty
        /// `Accept-Language`.
        public var language = ByteView.empty
        /// Only the address's network counts.
        public var isCoarse = false

        /// Nothing is known.
        public init() {}
    }

    /// Letters of a name: 128 bits.
    public static let letters = 32
    private static let dayMilliseconds: Int64 = 86_400_000
    private static let visitMilliseconds: Int64 = 30 * 60_000

    private struct Seen: BitwiseCopyable {
        var name: UInt64 = 0
        var at: Int64 = 0
    }

    private let source: CookielessSalts
    private var salts: CookielessSalts.Pair
    private var message = ByteBuffer(capacity: 1024, limit: 64 * 1024)
    private var digest = ByteBuffer(capacity: 64)
    /// When names were last seen, each at the place its own bits tell; a newer one takes the place.
    private var seen = [Seen](repeating: Seen(), count: Limits.cookielessNamesRemembered)
    /// When a name of yesterday was last given out, epoch milliseconds.
    private var usedYesterdayAt: Int64 = .min

    /// Names under the salts of `source`.
    public init(_ source: CookielessSalts) {
        self.source = source
        salts = CookielessSalts.Pair(day: .min, today: [], yesterday: [])
    }

    /// Appends the 32 hexadecimal digits of a machine's name at a time, epoch milliseconds.
    public mutating func append(
        _ machine: Machine,
        site: ByteView,
        at now: Int64,
        into output: inout ByteBuffer
    ) {
        message.reset()
        message.append(site)
        message.append(0)
        if machine.isCoarse {
            AddressTruncation.append(machine.address, into: &message)
        } else {
            message.append(machine.address)
        }
        message.append(0)
        message.append(machine.userAgent)
        message.append(0)
        message.append(machine.language)
        appendName(at: now, into: &output)
    }

    /// The same for a visitor whose id a server sent and may not be kept.
    public mutating func append(
        id: ByteView,
        site: ByteView,
        at now: Int64,
        into output: inout ByteBuffer
    ) {
        message.reset()
        message.append(site)
        message.append(0)
        message.append("id")
        message.append(0)
        message.append(id)
        appendName(at: now, into: &output)
    }

    private mutating func appendName(at now: Int64, into output: inout ByteBuffer) {
        let day = now / Self.dayMilliseconds
        if day > salts.day { salts = source.pair(day: day) }
        if mayRunOverMidnight(now) {
            sign(salts.yesterday)
            if isLive(at: now) {
                usedYesterdayAt = now
                return give(at: now, to: &output)
            }
        }
        sign(salts.today)
        give(at: now, to: &output)
    }

    /// Once half an hour passed without a name of yesterday, none of them is live.
    private func mayRunOverMidnight(_ now: Int64) -> Bool {
        if salts.yesterday.isEmpty { return false }
        let midnight = salts.day * Self.dayMilliseconds
        return now - max(midnight, usedYesterdayAt) <= Self.visitMilliseconds
    }

    private mutating func sign(_ salt: [UInt8]) {
        digest.reset()
        MessageCode.append(key: salt, message.view, into: &digest)
    }

    private var place: Int {
        Int(truncatingIfNeeded: digest.view.load(UInt64.self, at: 0)) & (seen.count - 1)
    }

    private func isLive(at now: Int64) -> Bool {
        let last = seen[place]
        return last.name == digest.view.load(UInt64.self, at: 0)
            && now - last.at <= Self.visitMilliseconds
    }

    private mutating func give(at now: Int64, to output: inout ByteBuffer) {
        seen[place] = Seen(name: digest.view.load(UInt64.self, at: 0), at: now)
        Hexadecimal.append(digest.view[0..<Self.letters / 2], into: &output)
    }
}
