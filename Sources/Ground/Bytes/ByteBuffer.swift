import Glibc
public import Units

/// A buffer that is written once and reused: grows up to a limit, then never again.
///
/// An append that would pass the limit is dropped and remembered in `overflowed`, so writers need no
/// error path of their own; the caller looks once at the end.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var memory: UnsafeMutableRawPointer
    @usableFromInline var length = 0
    @usableFromInline var room: Int
    /// The bytes it may ever hold.
    public let limit: Int
    /// Whether something did not fit. Cleared by `reset`.
    public private(set) var overflowed = false

    /// The number of bytes written.
    @inlinable
    public var count: Int { length }

    /// The bytes it can hold before it must grow.
    @inlinable
    public var capacity: Int { room }

    /// Makes an empty buffer of `capacity` bytes that may grow to `limit`.
    public init(capacity: Int, limit: Int? = nil) {
        self.limit = max(limit ?? capacity, 16)
        room = min(max(capacity, 16), self.limit)
        memory = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// Forgets the content, keeps the memory.
    public mutating func reset() {
        length = 0
        overflowed = false
    }

    /// Drops everything from `length` on.
    public mutating func truncate(to length: Int) {
        invariant(length >= 0 && length <= count, "truncating to more than there is")
        self.length = length
    }

    /// Drops the first `length` bytes, moving the rest to the front.
    public mutating func dropFirst(_ length: Int) {
        invariant(length >= 0 && length <= count, "dropping more than there is")
        memmove(memory, memory + length, count &- length)
        self.length &-= length
    }

    /// What has been written; valid until the next change.
    @inlinable
    public var view: ByteView { ByteView(base: memory, count: count) }

    /// What has been written from `start` on; valid until the next change.
    @inlinable
    public func view(from start: Int) -> ByteView { view[start..<count] }

    /// Makes room for `extra` bytes. False when the limit forbids it.
    @inlinable
    @inline(__always)
    public mutating func reserve(_ extra: Int) -> Bool {
        if extra <= capacity &- count { return true }
        return grow(extra)
    }

    @inline(never)
    @usableFromInline
    mutating func grow(_ extra: Int) -> Bool {
        guard extra <= limit &- count else {
            overflowed = true
            return false
        }
        let wanted = min(limit, max(capacity * 2, count + extra))
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        larger.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = larger
        room = wanted
        return true
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        guard reserve(1) else { return }
        memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        self.length &+= 1
    }

    /// Appends the bytes of a view.
    @inlinable
    public mutating func append(_ bytes: ByteView) {
        guard reserve(bytes.count) else { return }
        (memory + count).copyMemory(from: bytes.base, byteCount: bytes.count)
        self.length &+= bytes.count
    }

    /// Appends the bytes of a literal.
    @inlinable
    public mutating func append(_ literal: StaticString) { append(ByteView(literal)) }

    /// Appends UTF-8 text. For cold paths.
    public mutating func append(text: String) {
        var copy = text
        copy.withUTF8 { append(ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// Appends an integer in little-endian order.
    @inlinable
    public mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(
        littleEndian number: Number
    ) {
        guard reserve(MemoryLayout<Number>.size) else { return }
        memory.storeBytes(of: number.littleEndian, toByteOffset: count, as: Number.self)
        self.length &+= MemoryLayout<Number>.size
    }

    /// Appends an integer in big-endian order, as PostgreSQL's binary COPY wants it.
    @inlinable
    public mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(
        bigEndian number: Number
    ) {
        append(littleEndian: number.byteSwapped)
    }

    /// Appends `number` in decimal.
    public mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let length = decimalDigits(rest)
        guard reserve(length) else { return }
        var index = count &+ length
        repeat {
            index &-= 1
            memory.storeBytes(
                of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10),
                toByteOffset: index,
                as: UInt8.self
            )
            rest /= 10
        } while rest > 0
        self.length &+= length
    }

    /// Overwrites an integer that was appended before, in little-endian order.
    @inlinable
    public mutating func overwrite<Number: FixedWidthInteger & BitwiseCopyable>(
        littleEndian number: Number,
        at offset: Int
    ) {
        invariant(
            offset >= 0 && offset <= count &- MemoryLayout<Number>.size,
            "overwrite past the end"
        )
        memory.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
    }

    /// Overwrites an integer in big-endian order.
    @inlinable
    public mutating func overwrite<Number: FixedWidthInteger & BitwiseCopyable>(
        bigEndian number: Number,
        at offset: Int
    ) {
        overwrite(littleEndian: number.byteSwapped, at: offset)
    }

    /// Appends zero bytes until the length is a multiple of `alignment` (a power of two).
    @inlinable
    public mutating func pad(to alignment: Int) {
        while count & (alignment &- 1) != 0 && !overflowed { append(0) }
    }

    /// Free room behind the content, for calls into C that fill it; `commit` then counts the bytes.
    public mutating func spare(atLeast wanted: Int) -> UnsafeMutableRawBufferPointer? {
        guard reserve(wanted) else { return nil }
        return UnsafeMutableRawBufferPointer(start: memory + count, count: capacity &- count)
    }

    /// Counts `length` bytes that were written into `spare`.
    public mutating func commit(_ length: Int) {
        invariant(length >= 0 && length <= capacity &- count, "committing more than there is room")
        self.length &+= length
    }

    private func decimalDigits(_ number: UInt64) -> Int {
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, number >= bound {
            digits &+= 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        return digits
    }
}
