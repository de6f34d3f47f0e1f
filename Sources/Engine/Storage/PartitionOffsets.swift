import Records

/// Offsets of the few partitions that something happened to; forgets all of them cheaply.
struct PartitionOffsets {
    private var offsets = [UInt64](repeating: 0, count: Partition.count)
    private(set) var partitions: [Partition] = []

    var isEmpty: Bool { partitions.isEmpty }

    subscript(partition: Partition) -> UInt64 { offsets[Int(partition.index)] }

    /// Keeps the greatest offset of each partition.
    mutating func raise(_ partition: Partition, to offset: UInt64) {
        let index = Int(partition.index)
        if offsets[index] == 0 { partitions.append(partition) }
        offsets[index] = max(offsets[index], offset)
    }

    mutating func drop(_ partition: Partition) {
        if offsets[Int(partition.index)] == 0 { return }
        offsets[Int(partition.index)] = 0
        partitions.removeAll { $0 == partition }
    }

    mutating func removeAll() {
        for partition in partitions { offsets[Int(partition.index)] = 0 }
        partitions.removeAll(keepingCapacity: true)
    }

    mutating func raise(with other: PartitionOffsets) {
        for partition in other.partitions { raise(partition, to: other[partition]) }
    }
}
