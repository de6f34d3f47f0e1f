import Records

/// A set of partitions without allocation.
struct PartitionSet {
    private var words = InlineArray<4, UInt64>(repeating: 0)

    var isEmpty: Bool { (words[0] | words[1] | words[2] | words[3]) == 0 }

    func contains(_ partition: Partition) -> Bool {
        words[Int(partition.index) / 64] & (1 << UInt64(partition.index % 64)) != 0
    }

    mutating func insert(_ partition: Partition) {
        words[Int(partition.index) / 64] |= 1 << UInt64(partition.index % 64)
    }

    /// Whether `body` says true of all. It is not asked further once it said false.
    func allSatisfy(_ body: (Partition) -> Bool) -> Bool {
        for word in 0..<4 {
            var bits = words[word]
            while bits != 0 {
                let index = word * 64 + bits.trailingZeroBitCount
                guard body(Partition(UInt8(index))) else { return false }
                bits &= bits &- 1
            }
        }
        return true
    }

    /// Empties the set, calling `body` with each partition that was in it.
    mutating func drain(_ body: (Partition) -> Void) {
        for word in 0..<4 {
            // A copy, because Swift 6.3.1 with -O takes an element of an InlineArray that a loop
            // writes for unchanged in the loop's condition.
            var bits = words[word]
            words[word] = 0
            while bits != 0 {
                body(Partition(UInt8(word * 64 + bits.trailingZeroBitCount)))
                bits &= bits &- 1
            }
        }
    }
}

/// Which visitors wait in the queue: a bit per visitor, by partition. Grows with the visitors.
struct ChangedSet {
    private var words = [[UInt64]](repeating: [], count: Partition.count)

    /// False when the visitor was in the set already.
    mutating func insert(_ partition: Partition, _ index: Int) -> Bool {
        let row = Int(partition.index)
        let word = index / 64
        while words[row].count <= word { words[row].append(0) }
        let bit: UInt64 = 1 << UInt64(index % 64)
        if words[row][word] & bit != 0 { return false }
        words[row][word] |= bit
        return true
    }

    func contains(_ partition: Partition, _ index: Int) -> Bool {
        let row = words[Int(partition.index)]
        return index / 64 < row.count && row[index / 64] & (1 << UInt64(index % 64)) != 0
    }

    mutating func remove(_ partition: Partition, _ index: Int) {
        words[Int(partition.index)][index / 64] &= ~(1 << UInt64(index % 64))
    }
}
