import Bytes
import Records
import Settings

/// The slices of one request, one behind the other, on their way to the journal.
///
/// A beacon of the SDK makes one slice; a server's batch makes one for each run of events that belong
/// to the same visitor. The request is answered when all of them are durable. Each slice follows a
/// word that holds its length, partition and number of events. Owned by one listener, reused.
struct SliceBundle: ~Copyable {
    private var bytes = ByteBuffer(capacity: 64 * 1024, limit: SliceBundle.bytesMaximum)
    /// Slices in the bundle.
    private(set) var count = 0
    /// Events in all of them.
    private(set) var events = 0

    /// Less than the ring to the journal: what does not fit it now will fit when it is empty.
    static let bytesMaximum = Limits.bundleBytesMaximum

    /// Forgets the slices, keeps the memory.
    mutating func reset() {
        bytes.reset()
        (count, events) = (0, 0)
    }

    /// Adds a slice. False, and nothing is added, when there is no room for it.
    mutating func add(_ slice: ByteView, partition: Partition, events added: Int) -> Bool {
        guard bytes.count + 8 + slice.count <= Self.bytesMaximum else { return false }
        bytes.append(littleEndian: UInt32(slice.count))
        bytes.append(littleEndian: UInt16(partition.index))
        bytes.append(littleEndian: UInt16(added))
        bytes.append(slice)
        count += 1
        events += added
        return true
    }

    /// Calls `body` with each slice in order, until it returns false.
    func forEach(_ body: (ByteView, Partition) -> Bool) {
        var position = 0
        while position < bytes.count {
            let length = Int(bytes.view.load(UInt32.self, at: position))
            let partition = bytes.view.load(UInt16.self, at: position + 4)
            let start = position + 8
            let slice = bytes.view[start..<start + length]
            guard body(slice, Partition(UInt8(truncatingIfNeeded: partition))) else { return }
            position = start + length
        }
    }
}
