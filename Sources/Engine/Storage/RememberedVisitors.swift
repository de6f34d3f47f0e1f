import Bytes
import Records
import Units

/// What was last written of a visitor, in a table of fixed size: saves commands that change nothing.
///
/// Forgetting is harmless (a command is sent that was not needed), so a visitor simply takes the place
/// of another with the same slot. Owned by the worker's thread.
struct RememberedVisitors: ~Copyable {
    /// What has to be sent for a visitor besides the hash itself.
    struct Duties: Equatable {
        /// The hash's time to live is to be set.
        var renewsLife = false
        /// The place in `hot` is to be written.
        var ranks = false
        /// Score, band or profile are not those published last.
        var publishes = false
        /// The score written last; nil when it is not remembered.
        var lastScore: Double?
    }

    private struct Entry {
        var tag: UInt64 = 0
        var renewedAt: Int64 = 0
        var hour: Int32 = 0
        var tenths: Int16 = -1
        var band: UInt8 = 0
        var profile: UInt8 = 0
        var masked = false
    }

    private let key = HashKey.random()
    private var entries = [Entry](
        repeating: Entry(),
        count: StorageLimits.rememberedVisitors
    )

    /// Forgets all: what Redis holds is unknown again.
    mutating func forget() {
        for index in entries.indices { entries[index] = Entry() }
    }

    /// Forgets one visitor: Redis is told to drop it.
    mutating func forget(site: ByteView, visitor: ByteView) {
        let tag = tag(site, visitor)
        if entries[slot(tag)].tag == tag { entries[slot(tag)] = Entry() }
    }

    private func tag(_ site: ByteView, _ visitor: ByteView) -> UInt64 {
        (visitor.hash128(key: key).low ^ site.hash128(key: key).high) | 1
    }

    private func slot(_ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: tag >> 1) & (StorageLimits.rememberedVisitors &- 1)
    }

    /// Says what to send for a visitor, and remembers that it is sent.
    mutating func update(
        site: ByteView,
        visitor: ByteView,
        reading: Reading,
        masked: Bool
    ) -> Duties {
        let tag = tag(site, visitor)
        let index = slot(tag)
        var next = Entry(
            tag: tag,
            renewedAt: reading.updatedAt,
            hour: Int32(truncatingIfNeeded: reading.updatedAt / 3_600_000),
            tenths: Int16(Decimal.scaled(min(reading.score, 1_000), 1)),
            band: reading.band.rawValue,
            profile: reading.profile.rawValue,
            masked: masked
        )
        let last = entries[index]
        guard last.tag == tag else {
            entries[index] = next
            return Duties(renewsLife: true, ranks: true, publishes: true)
        }
        let renews =
            next.renewedAt &- last.renewedAt > StorageLimits.visitorRenewalMilliseconds
        if !renews { next.renewedAt = last.renewedAt }
        entries[index] = next
        let isChanged =
            next.tenths != last.tenths || next.band != last.band || next.profile != last.profile
            || next.masked != last.masked
        return Duties(
            renewsLife: renews,
            ranks: isChanged || next.hour != last.hour,
            publishes: isChanged
        )
    }
}
