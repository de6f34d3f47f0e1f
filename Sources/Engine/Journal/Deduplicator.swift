import Bytes
import Records
import Units

/// Decides in journal order which events repeat an earlier one of the same site and window.
///
/// The verdict is frozen in the record, so whatever is forgotten here later changes no replay. An
/// event with number 0 has no place in its window and is never called a repeat.
struct Deduplicator: ~Copyable {
    private static let version: UInt32 = 1

    private(set) var table: WindowTable
    /// Secret of the keys, kept in the checkpoint because the keys are.
    private var secret: (first: UInt64, second: UInt64)
    private var set = NumberSet()
    private var name = ByteBuffer(capacity: 512)
    /// Events found to be repeats since the process began.
    private(set) var repeats = 0

    init(limits: DeduplicationLimits) {
        var generator = SystemRandomNumberGenerator()
        secret = (generator.next(), generator.next())
        table = WindowTable(limits: limits)
    }

    /// The repeats among a slice's events, and remembers the others; nothing if it throws.
    mutating func judge(_ slice: Slice, at time: Int64) throws(JournalError) -> UInt64 {
        guard slice.eventCount <= Slice.eventsMaximum else { throw .malformedPayload }
        let index = table.touch(key(slice), at: time)
        table.load(index, into: &set)
        var duplicates: UInt64 = 0
        let isWhole = slice.forEachEvent { place, event in
            if event.number > 0, !set.insert(event.number) { duplicates |= 1 << UInt64(place) }
        }
        guard isWhole else { throw .malformedPayload }
        guard set.runs.count <= table.limits.runsPerWindowMaximum else { throw .windowTooScattered }
        table.store(set, index)
        repeats += duplicates.nonzeroBitCount
        return duplicates
    }

    /// Takes in a record of the journal whose verdict was made before.
    mutating func remember(_ slice: Slice, duplicates: UInt64, at time: Int64) {
        let index = table.touch(key(slice), at: time)
        table.load(index, into: &set)
        slice.forEachEvent { place, event in
            if event.number > 0, duplicates >> UInt64(place) & 1 == 0 {
                _ = set.insert(event.number)
            }
        }
        table.store(set, index)
    }

    private mutating func key(_ slice: Slice) -> Hash128 {
        name.reset()
        name.append(UInt8(truncatingIfNeeded: slice.site.count))
        name.append(slice.site)
        name.append(slice.window)
        return name.view.hash128(key: HashKey(first: secret.first, second: secret.second))
    }

    // MARK: - Checkpoint

    /// Version, secret, number of windows; for each window, the one used longest ago first: key,
    /// time, contiguous number, number of runs, runs.
    func write(to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: Self.version)
        buffer.append(littleEndian: UInt32(table.count))
        buffer.append(littleEndian: secret.first)
        buffer.append(littleEndian: secret.second)
        table.forEach { key, time, set in
            buffer.append(littleEndian: key.low)
            buffer.append(littleEndian: key.high)
            buffer.append(littleEndian: time)
            buffer.append(littleEndian: set.contiguous)
            buffer.append(littleEndian: UInt32(set.runs.count))
            for run in set.runs {
                buffer.append(littleEndian: run.first)
                buffer.append(littleEndian: run.last)
            }
        }
    }

    /// Takes up what `write` wrote. False, and nothing is known, when it is of another version.
    mutating func read(_ bytes: ByteView) -> Bool {
        guard bytes.count >= 24, bytes.load(UInt32.self, at: 0) == Self.version else {
            return false
        }
        secret = (bytes.load(UInt64.self, at: 8), bytes.load(UInt64.self, at: 16))
        var position = 24
        for _ in 0..<bytes.load(UInt32.self, at: 4) { readWindow(bytes, &position) }
        return true
    }

    private mutating func readWindow(_ bytes: ByteView, _ position: inout Int) {
        let key = Hash128(
            low: bytes.load(UInt64.self, at: position),
            high: bytes.load(UInt64.self, at: position + 8)
        )
        let index = table.touch(key, at: bytes.load(Int64.self, at: position + 16))
        set.load(contiguous: bytes.load(UInt32.self, at: position + 24))
        let runs = Int(bytes.load(UInt32.self, at: position + 28))
        position += 32
        for _ in 0..<runs {
            set.load(
                NumberSet.Run(
                    first: bytes.load(UInt32.self, at: position),
                    last: bytes.load(UInt32.self, at: position + 4)
                )
            )
            position += 8
        }
        table.store(set, index)
    }
}
