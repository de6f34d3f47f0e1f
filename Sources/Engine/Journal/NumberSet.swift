/// The event numbers seen of one window: all up to `contiguous`, and runs above it.
///
/// A pure value, used as scratch space: a record's numbers are put in, and the result is kept or
/// thrown away as a whole.
struct NumberSet {
    /// A run of numbers, both ends included.
    struct Run: Equatable {
        var first: UInt32
        var last: UInt32
    }

    /// Every number from 1 to this has been seen.
    private(set) var contiguous: UInt32 = 0
    /// Further runs, ascending, with gaps between them and above `contiguous`.
    private(set) var runs: [Run] = []

    mutating func load(contiguous: UInt32) {
        self.contiguous = contiguous
        runs.removeAll(keepingCapacity: true)
    }

    /// Adds a run behind all others, when a set is read back.
    mutating func load(_ run: Run) { runs.append(run) }

    /// Puts a number in; false when it was there already.
    mutating func insert(_ number: UInt32) -> Bool {
        if number <= contiguous { return false }
        if runs.isEmpty, number == contiguous + 1 {
            contiguous = number
            return true
        }
        let index = firstRun(endingAtOrAfter: number)
        if index < runs.count, runs[index].first <= number { return false }
        place(number, before: index)
        return true
    }

    /// Joins the number to the run below it, to the run above it, to both, or to none.
    private mutating func place(_ number: UInt32, before index: Int) {
        let joinsAbove = index < runs.count && runs[index].first - 1 == number
        if index == 0, number - 1 == contiguous {
            contiguous = joinsAbove ? runs[0].last : number
            if joinsAbove { runs.removeFirst() }
        } else if index > 0, runs[index - 1].last == number - 1 {
            runs[index - 1].last = joinsAbove ? runs[index].last : number
            if joinsAbove { runs.remove(at: index) }
        } else if joinsAbove {
            runs[index].first = number
        } else {
            runs.insert(Run(first: number, last: number), at: index)
        }
    }

    private func firstRun(endingAtOrAfter number: UInt32) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
