public import Bytes
import CZlib
import Settings

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

    /// Decompresses `bytes`, which are one gzip member or zlib stream, and appends the result.
    public func inflate(
        _ bytes: ByteView,
        gzip: Bool,
        into output: inout ByteBuffer
    ) throws(InflateError) {
        // 15 window bits, plus 16 for the gzip wrapper.
        try prepare(windowBits: gzip ? 31 : 15)
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.buffer.bindMemory(to: UInt8.self).baseAddress
        )
        stream.pointee.avail_in = UInt32(bytes.count)
        let start = output.count
        while true {
            let status = try step(&output)
            let made = output.count - start
            if made > Limits.inflateRatioFreeBytes,
                made > Limits.inflateRatioMaximum * max(bytes.count, 1)
            {
                throw .ratioTooHigh
            }
            if status == Z_STREAM_END { break }
        }
        if stream.pointee.avail_in > 0 { throw .trailingData }
    }

    private func step(_ output: inout ByteBuffer) throws(InflateError) -> Int32 {
        guard let room = output.spare(atLeast: Self.stepBytes) else { throw .tooLarge }
        stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        let offered = min(room.count, Self.stepBytes)
        stream.pointee.avail_out = UInt32(offered)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        output.commit(offered - Int(stream.pointee.avail_out))
        switch status {
        case Z_STREAM_END, Z_OK: break
        case Z_BUF_ERROR: throw .truncated
        default: throw .corrupt
        }
        if status == Z_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 {
            throw .truncated
        }
        return status
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
