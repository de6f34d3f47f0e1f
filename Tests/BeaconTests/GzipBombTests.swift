import Bytes
import CZlib
import Settings
import TestSupport
import Testing
import Wire

/// Compressed bodies: what is whole comes out, what is not or wants too much is refused.
@Suite struct GzipBombTests {
    /// Deflated with window bits of 31 for gzip, 15 for zlib, -15 for neither wrapper.
    private static func compress(_ bytes: [UInt8], windowBits: Int32 = 31) -> [UInt8] {
        var stream = z_stream()
        var output = [UInt8](repeating: 0, count: bytes.count + 1024)
        var input = bytes
        deflateInit2_(
            &stream,
            9,
            Z_DEFLATED,
            windowBits,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        defer { deflateEnd(&stream) }
        input.withUnsafeMutableBufferPointer { stream.next_in = $0.baseAddress }
        return input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Array(target[0..<(target.count - Int(stream.avail_out))])
            }
        }
    }

    /// The inflated bytes, or why there are none.
    private func inflate(
        _ bytes: [UInt8],
        gzip: Bool = true,
        limit: Int = Limits.inflatedBytesMaximum,
        with inflater: Inflater = Inflater()
    ) -> Result<[UInt8], InflateError> {
        var output = ByteBuffer(capacity: 1024, limit: limit)
        do throws(InflateError) {
            var failure: InflateError?
            withView(bytes) { view in
                do throws(InflateError) {
                    try inflater.inflate(view, gzip: gzip, limit: limit, into: &output)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return .success(Array(output.view.buffer))
        } catch {
            return .failure(error)
        }
    }

    private func noise(_ count: Int) -> [UInt8] {
        var dice = Dice(seed: 7)
        return (0..<count).map { _ in UInt8(dice.roll(0...255)) }
    }

    @Test(arguments: [0, 1, 8_191, 8_192, 8_193, 60_000, 400_000])
    func whatWasCompressedComesOut(_ count: Int) {
        let plain = noise(count)
        #expect(inflate(Self.compress(plain)) == .success(plain))
        #expect(inflate(Self.compress(plain, windowBits: 15), gzip: false) == .success(plain))
    }

    @Test func aBeaconOfRepeatedTextIsNoBomb() {
        let plain = [UInt8](repeating: 97, count: Limits.inflateRatioFreeBytes)
        #expect(inflate(Self.compress(plain)) == .success(plain))
    }

    @Test func everyTruncationIsRefused() {
        let whole = Self.compress(Array("{\"v\":1,\"k\":\"hg_demo\"}".utf8))
        for length in 0..<whole.count {
            #expect(inflate(Array(whole[0..<length])) == .failure(.truncated), "cut at \(length)")
        }
    }

    @Test func nothingMayFollow() {
        let whole = Self.compress(Array("{}".utf8))
        #expect(inflate(whole + [0]) == .failure(.trailingData))
        #expect(inflate(whole + whole) == .failure(.trailingData))
    }

    @Test func otherBytesAreCorrupt() {
        let plain = Array("{\"v\":1}".utf8)
        #expect(inflate(plain) == .failure(.corrupt))
        #expect(inflate(Self.compress(plain, windowBits: 15)) == .failure(.corrupt))
        #expect(inflate(Self.compress(plain, windowBits: -15)) == .failure(.corrupt))
        // Text is no stream either, though as a bare one it may look cut off.
        if case .success = inflate(plain, gzip: false) { Issue.record("taken") }
        #expect(inflate([], gzip: false) == .failure(.truncated))
        #expect(inflate(Self.compress(plain), gzip: false) == .failure(.corrupt))
    }

    @Test func everyFlippedBitIsNoticedOrHarmless() {
        let plain = Array("{\"v\":1,\"k\":\"hg_demo\"}".utf8)
        let whole = Self.compress(plain)
        var noticed = 0
        for index in 0..<whole.count {
            var damaged = whole
            damaged[index] ^= 0x10
            switch inflate(damaged) {
            // Time and system in the header and the padding before the checksum mean nothing.
            case .success(let bytes): #expect(bytes == plain)
            case .failure: noticed += 1
            }
        }
        #expect(noticed >= whole.count - 12)
    }

    @Test func aBombIsCutOffByItsRatio() {
        let bomb = Self.compress([UInt8](repeating: 0, count: 900_000))
        #expect(bomb.count * Limits.inflateRatioMaximum < 900_000)
        #expect(inflate(bomb) == .failure(.ratioTooHigh))
    }

    @Test func aLargeBodyIsCutOffByItsSize() {
        // Half noise, half nothing: the ratio is harmless, the size is not.
        let plain = noise(200_000) + [UInt8](repeating: 0, count: Limits.inflatedBytesMaximum)
        #expect(inflate(Self.compress(plain)) == .failure(.tooLarge))
    }

    @Test(arguments: [1, 4_096, 8_192, 8_193, 100_000, Limits.inflatedBytesMaximum])
    func aBodyMayBeExactlyAsLargeAsTheLimit(_ limit: Int) {
        for (count, isTaken) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
            let plain = noise(count)
            let expected: Result<[UInt8], InflateError> =
                isTaken ? .success(plain) : .failure(.tooLarge)
            #expect(inflate(Self.compress(plain), limit: limit) == expected, "\(count)")
            let bare = Self.compress(plain, windowBits: -15)
            #expect(inflate(bare, gzip: false, limit: limit) == expected, "\(count), bare")
        }
    }

    @Test func atTheLimitTheEndStillCounts() {
        let whole = Self.compress(noise(10_000))
        #expect(inflate(Array(whole.dropLast()), limit: 10_000) == .failure(.truncated))
        #expect(inflate(whole + [0], limit: 10_000) == .failure(.trailingData))
        var damaged = whole
        damaged[whole.count - 5] ^= 1
        #expect(inflate(damaged, limit: 10_000) == .failure(.corrupt))
    }

    @Test func aStreamWithoutItsWrapperIsDeflateToo() {
        for count in [0, 1, 60_000] {
            let plain = noise(count)
            let bare = Self.compress(plain, windowBits: -15)
            #expect(inflate(bare, gzip: false) == .success(plain))
            #expect(inflate(bare + [0], gzip: false) == .failure(.trailingData))
            #expect(inflate(Array(bare.dropLast()), gzip: false) == .failure(.truncated))
        }
    }

    @Test func aRefusedBodyLeavesNothingForTheNext() {
        let inflater = Inflater()
        let plain = Array("{\"v\":1}".utf8)
        let whole = Self.compress(plain)
        let bad = [
            Array(whole.dropLast(3)), plain, whole + [1],
            Self.compress([UInt8](repeating: 0, count: 900_000)),
        ]
        for body in bad {
            if case .success = inflate(body, with: inflater) { Issue.record("taken") }
            #expect(inflate(whole, with: inflater) == .success(plain))
        }
    }
}
