import Records

/// The answers that a pipeline still owes, in the order of its commands.
struct Flight {
    enum Answer {
        case plain, probe, greeting, sweep
        case position(Partition)
        case floor(site: Int)
    }

    private(set) var isFlying = false
    private var plain = 0
    /// Partitions whose position was written, in order.
    var positions: [Partition] = []
    private var positionsTaken = 0
    var probes = 0
    /// Sites that were asked for the floor of their `hot` sets; all or none.
    var floors = 0
    private var floorsTaken = 0
    var greets = 0
    var sweepAnswers = 0
    /// Partitions found to have gone back.
    var lost: [Partition] = []

    var isEmpty: Bool {
        plain == 0 && positionsTaken == positions.count && probes == 0 && greets == 0
            && floorsTaken == floors && sweepAnswers == 0
    }

    var isAnswered: Bool { isFlying && isEmpty }

    var isPlainNext: Bool { plain > 0 || (positionsTaken == positions.count && sweepAnswers > 0) }

    mutating func begin(plain: Int) {
        end()
        isFlying = true
        self.plain = plain
    }

    mutating func end() {
        isFlying = false
        (plain, positionsTaken, probes, greets, sweepAnswers) = (0, 0, 0, 0, 0)
        (floors, floorsTaken) = (0, 0)
        positions.removeAll(keepingCapacity: true)
        lost.removeAll(keepingCapacity: true)
    }

    /// What the next answer is to.
    mutating func next() -> Answer {
        if plain > 0 {
            plain &-= 1
            return .plain
        }
        if positionsTaken < positions.count {
            positionsTaken &+= 1
            return .position(positions[positionsTaken &- 1])
        }
        if probes > 0 {
            probes &-= 1
            return .probe
        }
        if floorsTaken < floors {
            floorsTaken &+= 1
            return .floor(site: floorsTaken &- 1)
        }
        if greets > 0 {
            greets &-= 1
            return .greeting
        }
        sweepAnswers &-= 1
        return .sweep
    }
}
