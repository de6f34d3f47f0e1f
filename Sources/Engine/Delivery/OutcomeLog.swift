import Bytes
public import Loop
import Units

/// What was sent and what came of it, in files beside the journal, written before the database knows.
///
/// A request's conversions are noted, and the note made durable, before its first byte goes out; what
/// came of it is noted before the database is told. So whatever the database says after a crash, or
/// after somebody has set it back, nothing that has left the machine is taken for unsent.
///
/// All forwarders of a data folder write files of their own in one folder, `<day>-<name>.log`, and
/// read each other's. A file is a row of 32-byte notes; one whose checksum fails ends it, as a torn
/// write does. Days older than `Limits.outcomeDays` are removed: by then the day keys of sealed
/// blocks are gone and the platforms take nothing that old. Owned by one thread.
public final class OutcomeLog {
    /// What is known of a delivery.
    struct Entry {
        var state: State
        /// Requests that carried it.
        var attempt: UInt16
        /// What the row said of attempts when the last of them began.
        var attemptsWhenClaimed: UInt16
        /// Those whose fate is unknown.
        var doubts: UInt16
        var day: Int32
    }

    /// How far a delivery came.
    enum State: UInt8 {
        /// A request carries it; nothing is known of its end.
        case open
        /// The last request ended without taking it, or nobody knows.
        case closed
        case delivered, dead, expired, inDoubt
    }

    private let disk: JournalDisk
    private let directory: String
    private let name: String
    private let entriesMaximum: Int
    private(set) var entries: [Hash128: Entry] = [:]
    /// How far each file has been read; our own is known as far as it was written.
    private var read: [String: Int] = [:]
    private var file: (handle: DiskFile, day: Int32, bytes: Int)?
    private var buffer = ByteBuffer(capacity: 64 * OutcomeNote.size)
    private var prunedDay: Int32 = .min
    /// Entries that were let go before their time because there was no room.
    public private(set) var forgotten = 0

    /// The log in `directory`, which is made if there is none. `name` is this forwarder's own.
    public init(
        directory: String,
        name: String,
        disk: JournalDisk,
        entriesMaximum: Int,
        nowMilliseconds: Int64
    ) throws(SystemCallError) {
        self.disk = disk
        self.directory = directory
        self.name = name
        self.entriesMaximum = entriesMaximum
        try disk.createDirectory(directory)
        try prune(nowMilliseconds)
        try refresh()
    }

    deinit {
        if let file { disk.close(file.handle) }
    }

    // MARK: - Writing

    /// Notes that a request is about to carry these; durable when it returns.
    public func note(
        sending deliveries: [DeliveryMark],
        nowMilliseconds: Int64
    ) throws(SystemCallError) {
        try append(
            deliveries.map { OutcomeNote($0, .sending, nowMilliseconds) },
            nowMilliseconds
        )
        if let file { try disk.synchronize(file.handle) }
    }

    /// Notes what came of a request. Not made durable by itself: a note that is lost with the machine
    /// leaves the delivery in doubt, never sent again unknowingly.
    public func note(
        _ outcomes: [(DeliveryMark, OutcomeNote.Kind)],
        nowMilliseconds: Int64
    ) throws(SystemCallError) {
        try append(
            outcomes.map { OutcomeNote($0.0, $0.1, nowMilliseconds) },
            nowMilliseconds
        )
    }

    private func append(_ notes: [OutcomeNote], _ now: Int64) throws(SystemCallError) {
        if notes.isEmpty { return }
        try openFile(now)
        guard var open = file else { return }
        buffer.reset()
        for note in notes { note.write(to: &buffer) }
        try disk.write(open.handle, buffer.view, at: open.bytes)
        open.bytes += buffer.count
        file = open
        read[fileName(open.day)] = open.bytes
        for note in notes { apply(note) }
    }

    private func fileName(_ day: Int32) -> String { "\(day)-\(name).log" }

    private func openFile(_ now: Int64) throws(SystemCallError) {
        let day = OutcomeNote.day(now)
        if let open = file {
            if open.day == day { return }
            try disk.synchronize(open.handle)
            disk.close(open.handle)
            file = nil
            try prune(now)
        }
        let path = "\(directory)/\(fileName(day))"
        // Behind a whole number of notes, whatever a crash has left of the last one.
        let isKnown = try disk.names(in: directory).contains(fileName(day))
        let handle = try disk.open(path, isKnown ? .readWrite : .createNew)
        let size = try disk.size(handle) / OutcomeNote.size * OutcomeNote.size
        file = (handle, day, size)
        try disk.synchronizeDirectory(directory)
    }

    // MARK: - Reading

    /// Takes up what other forwarders of this data folder have written since.
    public func refresh() throws(SystemCallError) {
        for found in try disk.names(in: directory) where found.hasSuffix(".log") {
            if let file, found == fileName(file.day) { continue }
            try readOn(found)
        }
        makeRoom()
    }

    private func readOn(_ name: String) throws(SystemCallError) {
        let handle: DiskFile
        do { handle = try disk.open("\(directory)/\(name)", .read) } catch {
            // Another forwarder has just removed a day that is too old.
            if error.isMissing { return }
            throw error
        }
        defer { disk.close(handle) }
        var position = read[name] ?? 0
        let size = try disk.size(handle)
        var chunk = ByteBuffer(capacity: OutcomeNote.chunkBytes)
        while position + OutcomeNote.size <= size {
            chunk.reset()
            let wanted = min(OutcomeNote.chunkBytes, size - position)
            let count = try disk.read(handle, at: position, count: wanted, into: &chunk)
            let taken = apply(chunk.view, count)
            position += taken
            if taken < OutcomeNote.size { break }
        }
        read[name] = position
    }

    /// Returns the bytes of whole notes with good checksums.
    private func apply(_ bytes: ByteView, _ count: Int) -> Int {
        var position = 0
        while position + OutcomeNote.size <= count,
            let note = OutcomeNote(bytes[position..<position + OutcomeNote.size])
        {
            apply(note)
            position += OutcomeNote.size
        }
        return position
    }

    private func apply(_ note: OutcomeNote) {
        var entry =
            entries[note.key]
            ?? Entry(state: .closed, attempt: 0, attemptsWhenClaimed: 0, doubts: 0, day: note.day)
        entry.attempt = max(entry.attempt, note.attempt)
        entry.day = max(entry.day, note.day)
        // What a platform has taken stays taken, whatever a second copy met.
        guard entry.state != .delivered else { return }
        switch note.kind {
        case .sending:
            entry.state = .open
            entry.attemptsWhenClaimed = note.attemptsWhenClaimed
        case .notTaken: entry.state = .closed
        case .doubt:
            entry.state = .closed
            entry.doubts += 1
        case .delivered: entry.state = .delivered
        case .dead: entry.state = .dead
        case .expired: entry.state = .expired
        case .inDoubt:
            entry.state = .inDoubt
            entry.doubts += 1
        }
        entries[note.key] = entry
    }

    // MARK: - Bounds

    private func prune(_ now: Int64) throws(SystemCallError) {
        let first = OutcomeNote.day(now) - OutcomeNote.daysKept
        guard first != prunedDay else { return }
        prunedDay = first
        for found in try disk.names(in: directory) where found.hasSuffix(".log") {
            guard let day = Int32(found.prefix { $0 != "-" }), day < first else { continue }
            do { try disk.remove("\(directory)/\(found)") } catch  where error.isMissing {}
            read[found] = nil
        }
        entries = entries.filter { $0.value.day >= first }
    }

    /// Beyond the bound the oldest days go: better to forget what is settled long ago than to stop.
    private func makeRoom() {
        while entries.count > entriesMaximum, let oldest = entries.values.map(\.day).min() {
            let before = entries.count
            entries = entries.filter { $0.value.day > oldest }
            forgotten += before - entries.count
        }
    }
}
