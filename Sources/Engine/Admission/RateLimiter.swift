public import Bytes
import Rings
import Settings
import Synchronization
import Units

/// The clocks of all rate limits, shared by the listeners, so that a limit holds for the process and
/// not for each of its threads.
///
/// A site has a clock and a day's count of its own. Addresses and visitors share a table of fixed
/// size, four places to a set: whoever finds no place takes that of the one who is closest to rest, so
/// strangers in great number cost nobody who is being limited his limit.
public final class RateLimiter: Sendable {
    private let siteClocks = AtomicWords(count: Limits.sitesMaximum)
    private let siteDays = AtomicWords(count: Limits.sitesMaximum)
    private let table: AtomicWords
    private let hashKey = HashKey.random()
    private let sets: Int
    private let slots = Mutex<[String: Int]>([:])

    private static let placesPerSet = 4
    /// A word of the table: 20 bits of tag, then the clock in microseconds, which comes round after
    /// 203 days; a clock is never further from now than a burst.
    private static let clockBits: UInt64 = 44
    private static let clockMask: UInt64 = 1 << 44 - 1
    /// A word of a day: the day's number, then how many events it had.
    private static let countBits: UInt64 = 40
    private static let countMask: UInt64 = 1 << 40 - 1

    /// A limiter for `senders` addresses and visitors at a time, a power of two.
    public init(senders: Int) {
        invariant(senders & (senders - 1) == 0, "the rate table's size is a power of two")
        table = AtomicWords(count: senders)
        sets = senders / Self.placesPerSet
    }

    // MARK: - Sites

    /// The place of a site's clock, kept over reloads under the site's name. Nil when there have been
    /// more names than places; such a site has no limit.
    public func slot(ofSite name: String) -> Int? {
        slots.withLock { slots in
            if let slot = slots[name] { return slot }
            guard slots.count < siteClocks.count else { return nil }
            slots[name] = slots.count
            return slots.count - 1
        }
    }

    /// Asks for `events` of a site.
    public func take(
        site slot: Int,
        events: Int,
        rate: Rate,
        nowNanoseconds now: Int64
    ) -> Passage {
        guard rate.isLimited else { return .allowed }
        while true {
            let word = siteClocks.load(slot)
            switch rate.decide(clock: Int64(bitPattern: word), now: now, units: events) {
            case .refused(let wait): return Passage(waitNanoseconds: wait)
            case .allowed(let clock):
                if siteClocks.replace(slot, word, by: UInt64(bitPattern: clock)) {
                    return .allowed
                }
            }
        }
    }

    /// Asks for `events` out of what a site may have in a day of UTC.
    public func take(
        site slot: Int,
        events: Int,
        perDay: Int,
        nowMilliseconds: Int64
    ) -> Passage {
        guard perDay > 0 else { return .allowed }
        let day = UInt64(nowMilliseconds / 86_400_000)
        while true {
            let word = siteDays.load(slot)
            let isToday = word >> Self.countBits == day
            let count = isToday ? word & Self.countMask : 0
            guard count + UInt64(events) <= UInt64(perDay) else {
                let left = 86_400_000 - nowMilliseconds % 86_400_000
                return Passage(waitNanoseconds: left * 1_000_000)
            }
            let next = day << Self.countBits | (count + UInt64(events))
            if siteDays.replace(slot, word, by: next) { return .allowed }
        }
    }

    /// The counts of the day, by site, to be kept over a restart: day number and events.
    public var dayCounts: [String: (day: Int64, events: Int64)] {
        slots.withLock { slots in
            slots.mapValues { slot in
                let word = siteDays.load(slot)
                return (Int64(word >> Self.countBits), Int64(word & Self.countMask))
            }
        }
    }

    /// Takes up a count that was kept.
    public func restore(site name: String, day: Int64, events: Int64) {
        guard let slot = slot(ofSite: name), day >= 0, day < 1 << 24, events >= 0 else { return }
        let count = min(UInt64(events), Self.countMask)
        siteDays.store(slot, UInt64(day) << Self.countBits | count)
    }

    // MARK: - Addresses and visitors

    /// The name of a sender in the table. IPv6 addresses count by their first 64 bits, because a
    /// subscriber has as many as that leaves.
    public func sender(address: ByteView) -> UInt64 {
        let network = address.count == 16 ? address[0..<8] : address
        return network.hash128(key: hashKey).low
    }

    /// The name of a visitor of a site in the table.
    public func sender(visitor: ByteView, site: Int) -> UInt64 {
        let hash = visitor.hash128(key: hashKey)
        return hash.high ^ (UInt64(site) &+ 1) &* 0x9e37_79b9_7f4a_7c15
    }

    /// Asks for `units` of a sender.
    public func take(sender: UInt64, units: Int, rate: Rate, nowNanoseconds: Int64) -> Passage {
        guard rate.isLimited else { return .allowed }
        let now = UInt64(nowNanoseconds / 1000) & Self.clockMask
        let tag = max(1, sender >> Self.clockBits)
        while true {
            let place = place(of: tag, set: Int(sender & UInt64(sets - 1)), now: now)
            let word = table.load(place)
            let isOurs = word >> Self.clockBits == tag
            let ahead = isOurs ? Self.ahead(word & Self.clockMask, of: now) : 0
            switch rate.decide(clock: ahead * 1000, now: 0, units: units) {
            case .refused(let wait): return Passage(waitNanoseconds: wait)
            case .allowed(let clock):
                let rounded = UInt64((clock + 500) / 1000)
                let next = tag << Self.clockBits | (now &+ rounded) & Self.clockMask
                if table.replace(place, word, by: next) { return .allowed }
            }
        }
    }

    /// The sender's place, or that of whoever in the set is closest to rest.
    private func place(of tag: UInt64, set: Int, now: UInt64) -> Int {
        let first = set * Self.placesPerSet
        var best = first
        var least = Int64.max
        for place in first..<first + Self.placesPerSet {
            let word = table.load(place)
            if word >> Self.clockBits == tag { return place }
            let ahead = word == 0 ? -1 : Self.ahead(word & Self.clockMask, of: now)
            if ahead < least { (best, least) = (place, ahead) }
        }
        return best
    }

    /// Microseconds by which a clock is ahead of `now`, 0 when it is behind.
    private static func ahead(_ clock: UInt64, of now: UInt64) -> Int64 {
        let difference = (clock &- now) & clockMask
        return difference >> (clockBits - 1) == 1 ? 0 : Int64(difference)
    }
}
