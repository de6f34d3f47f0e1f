import Bytes
import Glibc
import Journal
import Loop
import Records
import Scoring
import Units

/// Slices of a journal, in memory in the order in which they were acknowledged.
final class RecordedLoad {
    /// What a round took.
    struct Round {
        var nanoseconds: Int64 = 0
        var events = 0
        var visitors = 0
        var visitorBytes = 0
    }

    private struct Place {
        let header: RecordHeader
        let payload: Range<Int>
    }

    private var bytes = ByteBuffer(capacity: 64 << 20, limit: 4 << 30)
    private var places: [Place] = []

    var count: Int { places.count }

    /// Takes up to `most` records of visitors out of the journal in the folder `journal`.
    init(journal: String, most: Int) throws {
        var reader = JournalReader(disk: .real, directory: journal, limits: JournalLimits())
        _ = try reader.read(upTo: .max, recordsMaximum: .max) { record in
            guard record.header.kind == .slice, !record.isErased, places.count < most else {
                return
            }
            let start = bytes.count
            bytes.append(record.payload)
            places.append(Place(header: record.header, payload: start..<bytes.count))
        }
    }

    /// What every fold does first: finds each event in its slice.
    func read() -> Round {
        var round = Round()
        let begun = Self.processorNanoseconds()
        forEachSlice { header, slice in
            slice.forEachEvent { index, _ in
                round.events += header.duplicates >> UInt64(index) & 1 == 0 ? 1 : 0
            }
        }
        round.nanoseconds = Self.processorNanoseconds() - begun
        return round
    }

    /// A fold in a place of its own, because it cannot be copied.
    private final class Box {
        var fold: PartitionFold
        init(_ model: ScoringModel) { fold = PartitionFold(model: model) }
    }

    /// Folds everything from nothing.
    func fold(_ model: ScoringModel) -> Round {
        var round = Round()
        let folds = (0..<Partition.count).map { _ in Box(model) }
        let begun = Self.processorNanoseconds()
        forEachSlice { header, slice in
            let effect = folds[Int(header.partition.index)].fold.apply(header, slice)
            round.events += Int(effect?.eventsFolded ?? 0)
        }
        round.nanoseconds = Self.processorNanoseconds() - begun
        for box in folds {
            round.visitors += box.fold.visitorCount
            round.visitorBytes += box.fold.memoryBytes
        }
        return round
    }

    /// Of this thread: what else a machine does then counts for little.
    private static func processorNanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func forEachSlice(_ body: (RecordHeader, Slice) -> Void) {
        for place in places {
            guard let slice = Slice(bytes.view[place.payload]) else { continue }
            body(place.header, slice)
        }
    }
}
