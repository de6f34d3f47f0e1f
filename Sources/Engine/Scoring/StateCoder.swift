import Bytes
import Records

/// Walks the fields of a state to write them or to read them back: one description for both ways,
/// so that they cannot differ.
protocol StateCoder: ~Copyable {
    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number)
    mutating func field(_ text: inout ShortText)
}

extension StateCoder where Self: ~Copyable {
    mutating func field(_ number: inout Double) {
        var bits = number.bitPattern
        field(&bits)
        number = Double(bitPattern: bits)
    }

    mutating func field(_ flag: inout Bool) {
        var raw: UInt8 = flag ? 1 : 0
        field(&raw)
        flag = raw == 1
    }

    mutating func field(_ band: inout Band) {
        var raw = band.rawValue
        field(&raw)
        band = Band(rawValue: raw) ?? .cold
    }

    mutating func field(_ profile: inout Profile) {
        var raw = profile.rawValue
        field(&raw)
        profile = Profile(rawValue: raw) ?? .undetermined
    }

    /// A mask of the sums that are not zero, then those.
    mutating func sums(_ sums: inout InlineArray<58, Double>) {
        var mask: UInt64 = 0
        for index in 0..<Sum.count where sums[index] != 0 { mask |= 1 << UInt64(index) }
        field(&mask)
        for index in 0..<Sum.count where mask & (1 << UInt64(index)) != 0 { field(&sums[index]) }
    }
}

extension ByteBuffer: StateCoder {
    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number) {
        append(littleEndian: number)
    }

    mutating func field(_ text: inout ShortText) {
        append(UInt8(text.count))
        text.withBytes { append($0) }
    }
}

/// Reads a state back. Bytes that are missing read as zero and are remembered in `failed`.
struct StateReader: StateCoder {
    private let bytes: ByteView
    private(set) var position = 0
    private(set) var failed = false

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// Whether everything was read and nothing is left.
    var isAtEnd: Bool { !failed && position == bytes.count }

    /// The next `length` bytes as they are.
    mutating func take(_ length: Int) -> ByteView? {
        guard !failed, length <= bytes.count &- position else {
            failed = true
            return nil
        }
        position &+= length
        return bytes[position &- length..<position]
    }

    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number) {
        number = take(MemoryLayout<Number>.size)?.load(Number.self, at: 0) ?? 0
    }

    mutating func field(_ text: inout ShortText) {
        var length: UInt8 = 0
        field(&length)
        guard let view = take(Int(length)), let read = ShortText(view) else {
            failed = true
            return
        }
        text = read
    }
}
