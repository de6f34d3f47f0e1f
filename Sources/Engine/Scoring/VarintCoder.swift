import Bytes
import Settings

/// Writes fields in base 128, seven bits a byte, the lowest first: small numbers take one byte.
struct VarintBuffer: ~Copyable, StateCoder {
    var buffer = ByteBuffer(
        capacity: 64,
        limit: Limits.liveMinuteBytesMaximum * 2 + Limits.liveMinuteEntryBytesMaximum
    )

    /// A buffer that holds `bytes`.
    static func copy(_ bytes: ByteView) -> VarintBuffer {
        var copy = VarintBuffer()
        copy.buffer.append(bytes)
        return copy
    }

    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number) {
        var rest = UInt64(truncatingIfNeeded: number)
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func field(_ text: inout ShortText) { buffer.field(&text) }
}

/// Reads such fields back. Bytes that are missing read as zero and are remembered in `failed`.
struct VarintReader: StateCoder {
    private let bytes: ByteView
    private var position = 0
    private var failed = false

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// Whether everything was read and nothing is left.
    var isAtEnd: Bool { !failed && position == bytes.count }

    private mutating func next() -> UInt8 {
        guard position < bytes.count else {
            failed = true
            return 0
        }
        position &+= 1
        return bytes[position &- 1]
    }

    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: inout Number) {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        var byte: UInt8
        repeat {
            byte = next()
            value |= UInt64(byte & 0x7f) << shift
            shift &+= 7
        } while byte & 0x80 != 0 && shift < 64
        number = Number(truncatingIfNeeded: value)
    }

    mutating func field(_ text: inout ShortText) {
        let length = Int(next())
        guard length <= bytes.count &- position,
            let read = ShortText(bytes[position..<position &+ length])
        else {
            failed = true
            return
        }
        position &+= length
        text = read
    }
}
