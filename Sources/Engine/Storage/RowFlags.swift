import Bytes
import Records

/// What a row of `heliograph.event` says of its slice and event beside the columns that people read:
/// what folding it anew needs. See migration 5 for the bits.
struct RowFlags: OptionSet {
    let rawValue: Int16

    static let sessionMade = RowFlags(rawValue: 1 << 6)
    static let moved = RowFlags(rawValue: 1 << 7)
    /// The one bit since migration 5: brought in after the fact.
    static let history = RowFlags(rawValue: 1 << 14)
    private static let sliceMask: Int16 = 0b1111
    private static let deviceShift: Int16 = 4
    private static let deviceMask: Int16 = 0b11
    private static let indexShift: Int16 = 8

    init(rawValue: Int16) { self.rawValue = rawValue }

    /// `index` is the event's place in the slice, below 64.
    init(_ slice: Slice, _ event: SliceEvent, at index: Int) {
        var bits = Int16(slice.flags.rawValue) & Self.sliceMask
        bits |= Int16(slice.deviceClass.rawValue) << Self.deviceShift
        if slice.session.isEmpty { bits |= Self.sessionMade.rawValue }
        if event.flags.contains(.moved) { bits |= Self.moved.rawValue }
        if event.flags.contains(.history) { bits |= Self.history.rawValue }
        bits |= Int16(truncatingIfNeeded: index & 63) << Self.indexShift
        rawValue = bits
    }

    var slice: Slice.Flags { Slice.Flags(rawValue: UInt8(rawValue & Self.sliceMask)) }

    var deviceClass: Slice.DeviceClass {
        let bits = UInt8(rawValue >> Self.deviceShift & Self.deviceMask)
        return Slice.DeviceClass(rawValue: bits) ?? .unknown
    }

    /// What the row tells of its event.
    var event: SliceEvent.Flags {
        var flags: SliceEvent.Flags = contains(.moved) ? .moved : []
        if contains(.history) { flags.insert(.history) }
        return flags
    }
}
