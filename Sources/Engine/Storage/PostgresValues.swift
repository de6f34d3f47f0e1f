import Bytes

/// PostgreSQL's binary formats of values, appended to buffers: COPY rows and array parameters.
///
/// Format of a COPY row: a 16-bit number of fields, then per field a 32-bit length (-1 for null) and
/// the bytes. All integers are big-endian. A file begins with an 11-byte signature and two zero words
/// and ends with a field count of -1.
extension ByteBuffer {
    mutating func copySignature() {
        append("PGCOPY\n")
        append(0xff)
        append("\r\n\0")
        append(bigEndian: UInt64(0))
    }

    mutating func copyTrailer() { append(bigEndian: Int16(-1)) }

    mutating func field<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        append(bigEndian: Int32(MemoryLayout<Number>.size))
        append(bigEndian: number)
    }

    mutating func field(_ flag: Bool) { field(flag ? UInt8(1) : UInt8(0)) }

    mutating func field(_ number: Double) { field(number.bitPattern) }

    mutating func field(_ bytes: ByteView) {
        append(bigEndian: Int32(truncatingIfNeeded: bytes.count))
        append(bytes)
    }

    mutating func field(_ text: String) {
        append(bigEndian: Int32(truncatingIfNeeded: text.utf8.count))
        append(text: text)
    }

    mutating func nullField() { append(bigEndian: Int32(-1)) }

    mutating func fieldOrNull(_ bytes: ByteView) {
        if bytes.isEmpty { nullField() } else { field(bytes) }
    }

    /// A timestamptz: microseconds since the start of the year 2000.
    mutating func timeField(epochMilliseconds: Int64) {
        field(PostgresTime.microseconds(epochMilliseconds: epochMilliseconds))
    }

    /// A jsonb value travels as a version byte and its text.
    mutating func jsonField(_ text: ByteView) {
        append(bigEndian: Int32(truncatingIfNeeded: text.count &+ 1))
        append(1)
        append(text)
    }

    mutating func jsonFieldOrNull(_ text: ByteView) {
        if text.isEmpty { nullField() } else { jsonField(text) }
    }
}

/// PostgreSQL counts time from 2000-01-01T00:00:00Z in microseconds.
enum PostgresTime {
    static let epochMilliseconds: Int64 = 946_684_800_000
    static let dayMilliseconds: Int64 = 86_400_000
    /// 4713 BC to 294276 AD is what a timestamptz can hold; times outside are clamped to 9999 AD and
    /// to the epoch, which no corrected time reaches.
    static let latestMilliseconds: Int64 = 253_402_300_799_999

    static func microseconds(epochMilliseconds: Int64) -> Int64 {
        let clamped = min(max(epochMilliseconds, 0), latestMilliseconds)
        return (clamped &- Self.epochMilliseconds) &* 1_000
    }

    /// Days since 1970-01-01 of a moment.
    static func day(epochMilliseconds: Int64) -> Int32 {
        Int32(min(max(epochMilliseconds, 0), latestMilliseconds) / dayMilliseconds)
    }
}

/// Object ids of PostgreSQL's built-in types; fixed in `pg_type.dat` for ever.
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let text: UInt32 = 25
    static let float8: UInt32 = 701
    static let timestamptz: UInt32 = 1184
    static let boolArray: UInt32 = 1000
    static let byteaArray: UInt32 = 1001
    static let int2Array: UInt32 = 1005
    static let int8Array: UInt32 = 1016
    static let float8Array: UInt32 = 1022
    static let timestamptzArray: UInt32 = 1185
    static let textArray: UInt32 = 1009
}

/// Parameters of one statement, all in binary, written one behind the other in a reused buffer.
struct PostgresParameters: ~Copyable {
    private(set) var buffer = ByteBuffer(capacity: 4096, limit: 256 * 1024 * 1024)
    private(set) var types: [UInt32] = []
    private(set) var ranges: [Range<Int>] = []

    mutating func reset() {
        buffer.reset()
        types.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
    }

    mutating func add(type: UInt32, _ write: (inout ByteBuffer) -> Void) {
        let start = buffer.count
        write(&buffer)
        types.append(type)
        ranges.append(start..<buffer.count)
    }

    mutating func add(text: String) {
        add(type: PostgresType.text) { $0.append(text: text) }
    }

    /// A one-dimensional array without nulls: dimensions, flags, element type, length, lower bound,
    /// then each element with its length.
    mutating func addArray(
        type: UInt32,
        of element: UInt32,
        count: Int,
        _ write: (inout ByteBuffer) -> Void
    ) {
        add(type: type) { buffer in
            buffer.append(bigEndian: Int32(count == 0 ? 0 : 1))
            buffer.append(bigEndian: Int32(0))
            buffer.append(bigEndian: element)
            if count == 0 { return }
            buffer.append(bigEndian: Int32(count))
            buffer.append(bigEndian: Int32(1))
            write(&buffer)
        }
    }
}
