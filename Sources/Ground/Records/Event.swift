public import Bytes

/// What kind of thing happened. The raw value is stored in journal records and never changes.
public enum EventKind: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case pageView = 1
    case pageSummary, click, form, navigation, identify, consent, custom

    /// The type as it travels in a beacon: `pv`, `ps`, `ck`, `fm`, `nv`, `id`, `cs`, `cu`.
    public var code: String {
        switch self {
        case .pageView: return "pv"
        case .pageSummary: return "ps"
        case .click: return "ck"
        case .form: return "fm"
        case .navigation: return "nv"
        case .identify: return "id"
        case .consent: return "cs"
        case .custom: return "cu"
        }
    }

    /// The kind whose beacon code is `code`.
    public init?(code: ByteView) {
        guard code.count == 2 else { return nil }
        switch (code[0], code[1]) {
        case (UInt8(ascii: "p"), UInt8(ascii: "v")): self = .pageView
        case (UInt8(ascii: "p"), UInt8(ascii: "s")): self = .pageSummary
        case (UInt8(ascii: "c"), UInt8(ascii: "k")): self = .click
        case (UInt8(ascii: "f"), UInt8(ascii: "m")): self = .form
        case (UInt8(ascii: "n"), UInt8(ascii: "v")): self = .navigation
        case (UInt8(ascii: "i"), UInt8(ascii: "d")): self = .identify
        case (UInt8(ascii: "c"), UInt8(ascii: "s")): self = .consent
        case (UInt8(ascii: "c"), UInt8(ascii: "u")): self = .custom
        default: return nil
        }
    }
}

/// What a visitor has agreed to. The bits are those of the beacon's `c` field.
public struct Consent: OptionSet, BitwiseCopyable, Sendable {
    /// The bits as they travel.
    public let rawValue: UInt8

    /// Takes the bits as they are.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Counting visits and storing events.
    public static let measurement = Consent(rawValue: 1)
    /// Keeping identifiers on the device.
    public static let storage = Consent(rawValue: 2)
    /// Behavioural signals, readiness and profile.
    public static let profiling = Consent(rawValue: 4)
    /// Linking across domains and devices, and marketing.
    public static let linking = Consent(rawValue: 8)
    /// Inference from pointer dynamics and affect.
    public static let inference = Consent(rawValue: 16)
    /// Ad personalisation at the ad platforms.
    public static let adPersonalisation = Consent(rawValue: 32)
    /// Every defined bit.
    public static let all = Consent(rawValue: 63)
}

/// One of 256 fixed shares of the visitors: the Redis Cluster slot of the visitor, shifted right by 6.
public struct Partition: Hashable, BitwiseCopyable, Sendable {
    /// 0 to 255.
    public let index: UInt8

    /// How many partitions there are.
    public static let count = 256

    /// The partition with this index.
    public init(_ index: UInt8) { self.index = index }

    /// The partition that a visitor belongs to.
    public init(visitor: ByteView) {
        index = UInt8((visitor.crc16() & 16383) >> 6)
    }
}

/// A record's place: its partition and its number there. Only grows; gaps are legal.
public struct Position: Hashable, BitwiseCopyable, Sendable {
    /// The partition.
    public let partition: Partition
    /// The number in the partition, from 1.
    public let offset: UInt64

    /// A place from its parts.
    public init(partition: Partition, offset: UInt64) {
        self.partition = partition
        self.offset = offset
    }
}
