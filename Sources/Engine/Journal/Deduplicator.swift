import Bytes
import Records
import Units

/// Decides in journal order which events repeat an earlier one: of the same site and window by their
/// number, or, where the sender gave a message id, of the same site by that id alone.
///
/// The verdict is frozen in the record, so whatever is forgotten here later changes no replay. An
/// event with number 0 and no message id is never called a repeat.
struct Deduplicator: ~Copyable {
    private static let version: UInt32 = 2
    /// Before message ids were known; still read.
    private static let versionWithoutMessages: UInt32 = 1

    private(set) var table: WindowTable
    private(set) var messages: MessageTable
    /// Secret of the keys, kept in the checkpoint because the keys are.
    private var secret: (first: UInt64, second: UInt64)
    private var set = NumberSet()
    /// Scratch space for what is hashed: a site's name and the longest text a slice can carry.
    private var name = ByteBuffer(capacity: 512, limit: 512 + Int(UInt16.max))
    /// Events found to be repeats since the process began.
    private(set) var repeats = 0

    init(limits: DeduplicationLimits) {
        var generator = SystemRandomNumberGenerator()
        secret = (generator.next(), generator.next())
        table = WindowTable(limits: limits)
        messages = MessageTable(limits: limits)
    }

    /// By what the events of a slice are told apart.
    private struct Survey {
        var hasNumbers = false
        var hasMessages = false

        /// Nil when the slice is damaged.
        init?(_ slice: Slice) {
            var (numbers, messages) = (false, false)
            let isWhole = slice.forEachEvent { _, event in
                if event.messageID.isEmpty { numbers = true } else { messages = true }
            }
            guard isWhole else { return nil }
            (hasNumbers, hasMessages) = (numbers, messages)
        }
    }

    /// The repeats among a slice's events, and remembers the others; nothing if it throws.
    mutating func judge(_ slice: Slice, at time: Int64) throws(JournalError) -> UInt64 {
        guard slice.eventCount <= Slice.eventsMaximum, let survey = Survey(slice) else {
            throw .malformedPayload
        }
        var duplicates: UInt64 = 0
        // Numbers first: they alone can be refused, and then nothing may have been remembered.
        if survey.hasNumbers { duplicates |= try judgeNumbers(slice, at: time) }
        if survey.hasMessages { duplicates |= judgeMessages(slice, at: time) }
        repeats += duplicates.nonzeroBitCount
        return duplicates
    }

    private mutating func judgeNumbers(
        _ slice: Slice,
        at time: Int64
    ) throws(JournalError) -> UInt64 {
        let index = table.touch(key(slice.site, slice.window), at: time)
        table.load(index, into: &set)
        var duplicates: UInt64 = 0
        slice.forEachEvent { place, event in
            guard event.messageID.isEmpty, event.number > 0 else { return }
            if !set.insert(event.number) { duplicates |= 1 << UInt64(place) }
        }
        guard set.runs.count <= table.limits.runsPerWindowMaximum else { throw .windowTooScattered }
        table.store(set, index)
        return duplicates
    }

    private mutating func judgeMessages(_ slice: Slice, at time: Int64) -> UInt64 {
        var duplicates: UInt64 = 0
        slice.forEachEvent { place, event in
            if event.messageID.isEmpty { return }
            let key = key(slice.site, event.messageID)
            if !messages.insert(key, at: time) { duplicates |= 1 << UInt64(place) }
        }
        return duplicates
    }

    /// Takes in a record of the journal whose verdict was made before.
    mutating func remember(_ slice: Slice, duplicates: UInt64, at time: Int64) {
        guard let survey = Survey(slice) else { return }
        if survey.hasNumbers { rememberNumbers(slice, duplicates, at: time) }
        guard survey.hasMessages else { return }
        slice.forEachEvent { place, event in
            if event.messageID.isEmpty || duplicates >> UInt64(place) & 1 == 1 { return }
            _ = messages.insert(key(slice.site, event.messageID), at: time)
        }
    }

    private mutating func rememberNumbers(_ slice: Slice, _ duplicates: UInt64, at time: Int64) {
        let index = table.touch(key(slice.site, slice.window), at: time)
        table.load(index, into: &set)
        slice.forEachEvent { place, event in
            guard event.messageID.isEmpty, event.number > 0 else { return }
            if duplicates >> UInt64(place) & 1 == 0 { _ = set.insert(event.number) }
        }
        table.store(set, index)
    }

    /// What stands for a window or a message id: the same text of another site is another thing.
    private mutating func key(_ site: ByteView, _ text: ByteView) -> Hash128 {
        name.reset()
        name.append(UInt8(truncatingIfNeeded: site.count))
        name.append(site)
        name.append(text)
        return name.view.hash128(key: HashKey(first: secret.first, second: secret.second))
    }

    // MARK: - Checkpoint

    /// Version, secret, number of windows; for each window, the one used longest ago first: key,
    /// time, contiguous number, number of runs, runs. Then the number of message ids and, the one that
    /// came first before the others, key and time of each.
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
        writeMessages(to: &buffer)
    }

    private func writeMessages(to buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt32(messages.count))
        messages.forEach { key, time in
            buffer.append(littleEndian: key.low)
            buffer.append(littleEndian: key.high)
            buffer.append(littleEndian: time)
        }
    }

    /// The version of a checkpoint that a later release wrote; nil when it is none.
    static func unknownVersion(_ bytes: ByteView) -> UInt32? {
        guard bytes.count >= 4 else { return nil }
        let found = bytes.load(UInt32.self, at: 0)
        return found > version ? found : nil
    }

    /// Takes up what `write` wrote, or its form without message ids. False, and nothing is known, when
    /// it is of another version.
    mutating func read(_ bytes: ByteView) -> Bool {
        guard bytes.count >= 24 else { return false }
        let version = bytes.load(UInt32.self, at: 0)
        guard version == Self.version || version == Self.versionWithoutMessages else {
            return false
        }
        secret = (bytes.load(UInt64.self, at: 8), bytes.load(UInt64.self, at: 16))
        var position = 24
        for _ in 0..<bytes.load(UInt32.self, at: 4) { readWindow(bytes, &position) }
        if version == Self.version { readMessages(bytes, position) }
        return true
    }

    private mutating func readMessages(_ bytes: ByteView, _ start: Int) {
        var position = start + 4
        for _ in 0..<bytes.load(UInt32.self, at: start) {
            let key = Hash128(
                low: bytes.load(UInt64.self, at: position),
                high: bytes.load(UInt64.self, at: position + 8)
            )
            _ = messages.insert(key, at: bytes.load(Int64.self, at: position + 16))
            position += 24
        }
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
