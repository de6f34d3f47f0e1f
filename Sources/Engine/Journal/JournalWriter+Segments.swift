import Bytes
import Loop
import Units

/// Whether there is room for another segment: the journal's own budget, and the file system's.
///
/// Within a segment nothing can run out, because its blocks are allocated when it is made. Owned by
/// the journal's thread.
struct SpaceGuard {
    let limits: JournalLimits
    /// Bytes of all segment files.
    var bytesUsed = 0
    /// Whether the last look found no room.
    private(set) var isFull = false
    private var lookAgainAt: Int64 = 0

    init(limits: JournalLimits) { self.limits = limits }

    /// Whether it is too early to look again.
    func mustWait(nowNanoseconds: Int64) -> Bool { isFull && nowNanoseconds < lookAgainAt }

    func admits(_ space: DiskSpace) -> Bool {
        let reserve = space.totalBytes / 100 * limits.diskFreePercentMinimum
        return bytesUsed + limits.segmentBytes <= limits.diskBytesMaximum
            && space.freeBytes - limits.segmentBytes >= reserve
    }

    mutating func foundFull(nowNanoseconds: Int64) {
        isFull = true
        lookAgainAt = nowNanoseconds + limits.fullRecheckMilliseconds * 1_000_000
    }

    mutating func foundRoom() { isFull = false }

    mutating func removed(bytes: Int) {
        bytesUsed -= bytes
        lookAgainAt = 0
    }
}

extension JournalWriter {
    /// Begins the next segment, if there is room.
    mutating func roll() throws(JournalError) {
        let now = time.monotonicNanoseconds()
        if space.mustWait(nowNanoseconds: now) { throw .full }
        let begun: DiskFile?
        do throws(SystemCallError) {
            begun = space.admits(try disk.space(directory)) ? try beginSegment() : nil
        } catch {
            throw stop(error)
        }
        guard let begun else {
            space.foundFull(nowNanoseconds: now)
            throw .full
        }
        space.foundRoom()
        try adopt(begun)
    }

    /// Whether so much of the room is spent that finished segments had better go.
    public var isShortOfRoom: Bool {
        space.isFull || space.bytesUsed > limits.diskBytesMaximum / 4 * 3
    }

    /// Looks whether there is room again after an append was refused. Those who see that the journal is
    /// full keep most batches from it, so that no append might ever find out.
    public mutating func lookForRoom() throws(JournalError) {
        let now = time.monotonicNanoseconds()
        guard space.isFull, !space.mustWait(nowNanoseconds: now) else { return }
        let found = try reporting { () throws(SystemCallError) in try disk.space(directory) }
        if space.admits(found) {
            space.foundRoom()
        } else {
            space.foundFull(nowNanoseconds: now)
        }
    }

    /// Makes the next segment durable with its header and name, before any record is accepted for
    /// it. Nil when the file system has no room after all.
    private func beginSegment() throws(SystemCallError) -> DiskFile? {
        let path = "\(directory)/\(SegmentName.text(segment + 1))"
        let begun = try disk.open(path, .createNew)
        do throws(SystemCallError) {
            guard try allocate(begun) else {
                disk.close(begun)
                try disk.remove(path)
                return nil
            }
            try writeHeader(begun)
            try disk.synchronizeDirectory(directory)
        } catch {
            disk.close(begun)
            throw error
        }
        return begun
    }

    /// A file system without fallocate(2) gets a sparse file: writing may then run out of room, which
    /// stops the journal like any other failed write.
    private func allocate(_ begun: DiskFile) throws(SystemCallError) -> Bool {
        do throws(SystemCallError) {
            try disk.preallocate(begun, bytes: limits.segmentBytes)
        } catch {
            if error.isOutOfSpace { return false }
            guard error.isUnsupported else { throw error }
            try disk.truncate(begun, bytes: limits.segmentBytes)
        }
        return true
    }

    private func writeHeader(_ begun: DiskFile) throws(SystemCallError) {
        let header = SegmentHeader(
            number: segment + 1,
            firstSequence: lastSequence + 1,
            createdAt: time.epochMilliseconds(),
            segmentBytes: limits.segmentBytes,
            previousEnd: segment > 0 ? segmentPosition : 0,
            nextOffsets: nextOffsets
        )
        var bytes = ByteBuffer(capacity: SegmentHeader.size)
        header.write(to: &bytes)
        try disk.write(begun, bytes.view, at: 0)
        try disk.synchronize(begun)
    }

    /// Goes over to the new segment and gives back what the old one did not use.
    private mutating func adopt(_ begun: DiskFile) throws(JournalError) {
        let (old, oldNumber, oldEnd) = (file, segment, segmentPosition)
        file = begun
        segment += 1
        segmentPosition = SegmentHeader.size
        space.bytesUsed += limits.segmentBytes
        do throws(SystemCallError) {
            if let old {
                defer { disk.close(old) }
                try cut(old, to: oldEnd)
            } else if oldTailIsClean {
                let tail = try disk.open("\(directory)/\(SegmentName.text(oldNumber))", .readWrite)
                defer { disk.close(tail) }
                try cut(tail, to: oldEnd)
            }
        } catch {
            throw stop(error)
        }
    }

    private mutating func cut(_ old: DiskFile, to end: Int) throws(SystemCallError) {
        let size = try disk.size(old)
        guard size > end else { return }
        try disk.truncate(old, bytes: end)
        space.bytesUsed -= size - end
    }
}
