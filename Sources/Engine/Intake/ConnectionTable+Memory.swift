import Bytes
import Settings

/// The lists that order connections.
enum ConnectionList {
    /// Connections that wait for nothing, the longest idle first.
    static let idle = 0
    /// Connections that hold memory: a list for every power of two, in each the eldest first.
    private static let firstHolding = 1
    /// Powers of two, from the smallest worth giving up a request for.
    private static let smallestShift = 9
    private static let largestShift = 24
    static let count = firstHolding + largestShift - smallestShift + 1
    /// The lists of those that hold memory, the most first.
    static var holding: ReversedCollection<Range<Int>> { (firstHolding..<count).reversed() }

    /// The list of a connection that holds `bytes`; nil when that is too little to matter.
    static func holding(_ bytes: Int) -> Int? {
        guard bytes >= 1 << smallestShift else { return nil }
        let shift = Int.bitWidth - 1 - bytes.leadingZeroBitCount
        return firstHolding + min(shift, largestShift) - smallestShift
    }
}

extension ConnectionTable {
    /// Brings the lists and the sum of memory up to date with a connection, and gives up the request
    /// that holds the most while the sum is above its limit. To be called whenever something has
    /// happened to a connection, as the last thing.
    func settle(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        account(slot)
        if heldBytes > heldBytesMaximum { shed() }
    }

    /// Brings the lists and the sum of memory up to date with a connection.
    func account(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
        guard slot.pointee.isOpen else { return }
        if slot.pointee.closesAfterWriting { slot.pointee.releaseInput() }
        let held = slot.pointee.memory
        heldBytes += held - slot.pointee.countedBytes
        slot.pointee.countedBytes = held
        if slot.pointee.isIdle {
            return lists.append(slot.pointee.index, to: ConnectionList.idle)
        }
        guard let list = ConnectionList.holding(held) else {
            return lists.remove(slot.pointee.index)
        }
        // Its place in a list is kept, because that is its age.
        if lists.list(of: slot.pointee.index) != list {
            lists.append(slot.pointee.index, to: list)
        }
    }

    /// Gives requests up until the memory is within its limit: of those that hold the most (to within
    /// a factor of two) the one that has held it for longest. Idle connections hold nothing.
    private func shed() {
        while heldBytes > heldBytesMaximum {
            guard
                let index = ConnectionList.holding.lazy.compactMap({ self.lists.first(of: $0) })
                    .first
            else { return }
            let slot = slots[Int(index)]
            let before = slot.pointee.countedBytes
            giveUp(slot, .overloaded)
            account(slot)
            if slot.pointee.isOpen, slot.pointee.countedBytes >= before {
                close(slot, .overloaded)
            }
        }
    }

    /// Ends the request under way with an answer, and the connection with it.
    func giveUp(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ refusal: RequestRefusal) {
        // An answer in the middle of another would be taken for a part of it; and one that nobody
        // reads helps nobody.
        if slot.pointee.isBlocked || slot.pointee.phase != .requests {
            return close(slot, refusal.closeReason)
        }
        slot.pointee.closeReason = refusal.closeReason
        slot.pointee.forgetRequest()
        handler.gaveUp(slot.pointee.id, because: refusal)
    }
}

extension ConnectionSlot {
    /// Memory that an idle connection would not hold.
    var memory: Int {
        let buffers = input.capacity &+ output.capacity &+ queued.capacity &+ handlerBytes
        let record = tls?.holdsPartialRecord == true ? ConnectionLimits.partialRecordBytes : 0
        return max(0, buffers &+ record &- 3 &* ConnectionLimits.keptCapacityMaximum)
    }
}
