import Bytes
import Units

/// The live minutes whose time to live was set, in a table of fixed size. Forgetting is harmless: it is
/// set again, to the same moment. Owned by the worker's thread.
struct MinuteLives: ~Copyable {
    private let key = HashKey.random()
    private var tags = [UInt64](repeating: 0, count: StorageLimits.rememberedMinutes)

    /// Forgets all: what Redis holds is unknown again.
    mutating func forget() {
        for index in tags.indices { tags[index] = 0 }
    }

    /// Whether the time to live is to be set; remembers that it is.
    mutating func begins(site: ByteView, minute: UInt32) -> Bool {
        let mixed = UInt64(minute) &* 0x9e37_79b9_7f4a_7c15
        let tag = (site.hash128(key: key).low ^ mixed) | 1
        let slot = Int(truncatingIfNeeded: tag >> 32) & (StorageLimits.rememberedMinutes &- 1)
        if tags[slot] == tag { return false }
        tags[slot] = tag
        return true
    }
}
