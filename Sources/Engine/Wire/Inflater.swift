public import Bytes
import CZlib
public import Settings

/// Why a compressed body was refused.
public enum InflateError: UInt8, Error, Sendable {
    case corrupt, truncated, tooLarge, ratioTooHigh, trailingData
}

/// Decompresses one body after another with the same memory (zlib, RFC 1950 to 1952).
///
/// The output is capped, and beyond a first allowance so is its ratio to the input: a bomb is cut
/// off within one step past the cap. Owned by one listener thread.
public final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isReady = false
    /// Output made between two looks at the caps.
    private static let stepBytes = 8 * 1024

    /// Makes an inflater; zlib's memory is allocated at the first use.
    public init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isReady { _ = inflateEnd(stream) }
        stream.deallocate()
    }

    /// Decompresses `bytes`, which are one gzip member or one deflate stream and nothing else, and
    /// appends at most `limit` bytes.
    ///
    /// `deflate` means the zlib format (RFC 9110 section 8.4.1.2); the bare stream that .NET's and
    /// PHP's functions of that name make is taken too, as browsers and proxies do.
    public func inflate(
        _ bytes: ByteView,
        gzip: Bool,
        limit: Int = Limits.inflatedBytesMaximum,
        into output: inout ByteBuffer
    ) throws(InflateError) {
        try prepare(windowBits: gzip ? Self.gzipBits : Self.deflateBits(bytes))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.buffer.bindMemory(to: UInt8.self).baseAddress
        )
        stream.pointee.avail_in = UInt32(bytes.count)
        let start = output.count
        while true {
            let isLast = try step(&output, room: limit - (output.count - start))
            let made = output.count - start
            if made > Limits.inflateRatioFreeBytes,
                made > Limits.inflateRatioMaximum * max(bytes.count, 1)
            {
                throw .ratioTooHigh
            }
            if isLast { break }
        }
        if stream.pointee.avail_in > 0 { throw .trailingData }
    }

    /// Window bits of 15, plus 16 for the gzip format.
    private static let gzipBits: Int32 = 31

    /// Window bits of 15 for the zlib format, negative for a bare stream. RFC 1950 section 2.2: the
    /// first two bytes name method 8 and are a multiple of 31.
    private static func deflateBits(_ bytes: ByteView) -> Int32 {
        guard bytes.count >= 2 else { return 15 }
        let isZlib =
            bytes[0] & 15 == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])).isMultiple(of: 31)
        return isZlib ? 15 : -15
    }

    /// Makes some output. True when the stream has ended.
    private func step(
        _ output: inout ByteBuffer,
        room: Int
    ) throws(InflateError) -> Bool {
        // With no room left there may still be the end to read: a byte aside shows whether there is.
        if room == 0 { return try finish() }
        let wanted = min(room, Self.stepBytes)
        guard let spare = output.spare(atLeast: wanted) else { throw .tooLarge }
        let made = try run(into: spare, wanted)
        output.commit(made.count)
        return made.isLast
    }

    private func finish() throws(InflateError) -> Bool {
        var aside: UInt64 = 0
        var failure: InflateError?
        let made = withUnsafeMutableBytes(of: &aside) { memory -> (count: Int, isLast: Bool) in
            do throws(InflateError) {
                return try run(into: memory, 1)
            } catch {
                failure = error
                return (0, true)
            }
        }
        if let failure { throw failure }
        if made.count > 0 { throw .tooLarge }
        return made.isLast
    }

    private func run(
        into memory: UnsafeMutableRawBufferPointer,
        _ wanted: Int
    ) throws(InflateError) -> (count: Int, isLast: Bool) {
        stream.pointee.next_out = memory.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(wanted)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        let count = wanted - Int(stream.pointee.avail_out)
        switch status {
        case Z_STREAM_END: return (count, true)
        case Z_OK: break
        case Z_BUF_ERROR: throw .truncated
        default: throw .corrupt
        }
        if stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 { throw .truncated }
        return (count, false)
    }

    private func prepare(windowBits bits: Int32) throws(InflateError) {
        let status: Int32
        if isReady {
            status = inflateReset2(stream, bits)
        } else {
            status = inflateInit2_(
                stream,
                bits,
                ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)
            )
            isReady = status == Z_OK
        }
        if status != Z_OK { throw .corrupt }
    }
}
