import Glibc
public import Units

/// A borrowed run of bytes: somebody else's memory, valid for as long as the owner says.
///
/// All pointer arithmetic of the engine's parsers lives behind this type. Every access checks its
/// bounds, so a wrong index stops the process instead of reading a neighbour's memory. Owners are
/// connection buffers, arenas and ring frames; a view never outlives the callback that was given
/// it, and is not `Sendable` so that it cannot be handed to another thread.
@safe
public struct ByteView {
    @usableFromInline let base: UnsafeRawPointer
    /// The number of bytes.
    public let count: Int

    /// Looks at `count` bytes at `base`; the caller answers for their lifetime.
    @inlinable
    public init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    /// Looks at a whole buffer; the caller answers for its lifetime.
    @inlinable
    public init(_ buffer: UnsafeRawBufferPointer) {
        self.init(base: buffer.baseAddress ?? Self.nowhere, count: buffer.count)
    }

    /// Looks at the bytes of a literal, which live for ever.
    @inlinable
    public init(_ literal: StaticString) {
        self.init(base: UnsafeRawPointer(literal.utf8Start), count: literal.utf8CodeUnitCount)
    }

    /// A view of nothing.
    @inlinable
    public static var empty: ByteView { ByteView(base: nowhere, count: 0) }

    @usableFromInline static var nowhere: UnsafeRawPointer {
        UnsafeRawPointer(("" as StaticString).utf8Start)
    }

    /// Whether there are no bytes.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// Whether there is a byte at `index`.
    @inlinable
    @inline(__always)
    public func has(_ index: Int) -> Bool { UInt(bitPattern: index) < UInt(bitPattern: count) }

    /// Whether `length` bytes follow from `offset` on.
    @inlinable
    @inline(__always)
    public func holds(_ length: Int, at offset: Int) -> Bool {
        // Subtracting on the side that cannot overflow: an offset near Int.max must not wrap past it.
        offset >= 0 && offset <= count &- length
    }

    /// The byte at `index`.
    @inlinable
    public subscript(index: Int) -> UInt8 {
        invariant(has(index), "byte index outside the view")
        return base.load(fromByteOffset: index, as: UInt8.self)
    }

    /// The bytes in `range`, sharing memory with this view.
    @inlinable
    public subscript(range: Range<Int>) -> ByteView {
        invariant(range.lowerBound >= 0 && range.upperBound <= count, "range outside the view")
        return ByteView(base: base + range.lowerBound, count: range.count)
    }

    /// A little-endian integer at `offset`, which need not be aligned.
    @inlinable
    public func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type,
        at offset: Int
    ) -> Number {
        invariant(holds(MemoryLayout<Number>.size, at: offset), "load outside the view")
        return Number(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Whether both views hold the same bytes.
    @inlinable
    public func equals(_ other: ByteView) -> Bool {
        count == other.count && compareBytes(base, other.base, count)
    }

    /// Whether the bytes are exactly those of `literal`.
    @inlinable
    public func equals(_ literal: StaticString) -> Bool { equals(ByteView(literal)) }

    /// Whether the bytes equal `literal` when ASCII letters are compared without case.
    public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
        equalsIgnoringCase(ByteView(literal))
    }

    /// Whether both views hold the same bytes when ASCII letters are compared without case.
    public func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where asciiLowercase(self[index]) != asciiLowercase(other[index]) {
            return false
        }
        return true
    }

    /// Whether the view begins with `literal`.
    @inlinable
    public func starts(with literal: StaticString) -> Bool {
        let prefix = ByteView(literal)
        return count >= prefix.count && self[0..<prefix.count].equals(prefix)
    }

    /// The index of the first `byte` at or after `start`.
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        invariant(start >= 0, "searching from before the view")
        guard start < count else { return nil }
        guard let found = memchr(base + start, Int32(byte), count &- start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The keyed hash of the bytes.
    @inlinable
    public func hash128(key: HashKey) -> Hash128 { Hash128(buffer, key: key) }

    /// CRC-16/XMODEM of the bytes.
    public func crc16() -> UInt16 { Checksum.crc16(buffer) }

    /// CRC-32C of the bytes.
    public func crc32c() -> UInt32 { Checksum.crc32c(buffer) }

    /// The bytes as text, invalid UTF-8 repaired. Allocates: not for the hot path.
    public var text: String { String(decoding: buffer, as: UTF8.self) }

    /// The raw memory, for calls into C.
    @inlinable
    public var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: count)
    }

    /// The bytes as an unsigned decimal number: digits only, no sign, at most 18 of them.
    public var decimal: Int? {
        guard count > 0, count <= 18 else { return nil }
        var value = 0
        for index in 0..<count {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }
}

/// The lower-case form of an ASCII letter; other bytes as they are.
@inlinable
public func asciiLowercase(_ byte: UInt8) -> UInt8 {
    byte &- 65 < 26 ? byte | 0x20 : byte
}

@usableFromInline
func compareBytes(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    memcmp(left, right, count) == 0
}
