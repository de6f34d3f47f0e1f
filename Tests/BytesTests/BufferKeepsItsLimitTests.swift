import Bytes
import Testing

/// A buffer grows to its limit, says when something did not fit, and never writes past its end.
@Suite struct BufferKeepsItsLimitTests {
    @Test func itGrowsAndKeepsWhatItHolds() {
        var expected: [UInt8] = []
        var buffer = ByteBuffer(capacity: 16, limit: 10_000)
        for number in 0..<10_000 {
            buffer.append(UInt8(truncatingIfNeeded: number))
            expected.append(UInt8(truncatingIfNeeded: number))
        }
        let content = Array(buffer.view.buffer)
        let overflowed = buffer.overflowed
        #expect(content == expected && !overflowed)
        buffer.append(1)
        let count = buffer.count
        let overflowedNow = buffer.overflowed
        #expect(count == 10_000 && overflowedNow)
        buffer.reset()
        let isClean = !buffer.overflowed && buffer.count == 0
        #expect(isClean)
    }

    @Test func whatDoesNotFitIsLeftOutWhole() {
        let bytes = written(limit: 20) { buffer in
            buffer.append("0123456789")
            buffer.append("0123456789x")
            buffer.append("abc")
        }
        #expect(bytes == Array("0123456789abc".utf8))
    }

    @Test func numbersAreWrittenInTheOrderAsked() {
        #expect(written { $0.append(littleEndian: UInt32(0x0102_0304)) } == [4, 3, 2, 1])
        #expect(written { $0.append(bigEndian: UInt32(0x0102_0304)) } == [1, 2, 3, 4])
        let overwritten = written { buffer in
            buffer.append(littleEndian: UInt64(0))
            buffer.overwrite(littleEndian: UInt16(0x0102), at: 0)
            buffer.overwrite(bigEndian: UInt16(0x0304), at: 6)
        }
        #expect(overwritten == [2, 1, 0, 0, 0, 0, 3, 4])
    }

    @Test func decimalsMatchTheStandardLibrarys() {
        var dice = Dice(3)
        var numbers: [Int64] = [0, 1, -1, 9, 10, 99, 100, .max, .min]
        for shift in 0..<63 { numbers.append(Int64(truncatingIfNeeded: dice.next()) >> shift) }
        var power: Int64 = 1
        for _ in 0..<18 {
            power *= 10
            numbers += [power, power - 1, -power, 1 - power]
        }
        for number in numbers {
            #expect(written { $0.append(decimal: number) } == Array(String(number).utf8))
        }
    }

    @Test func droppingTruncatingAndPadding() {
        let bytes = written { buffer in
            buffer.append("abcdefgh")
            buffer.dropFirst(2)
            buffer.truncate(to: 3)
            buffer.pad(to: 8)
        }
        #expect(bytes == Array("cde".utf8) + [0, 0, 0, 0, 0])
    }

    @Test func spareRoomIsRealAndCountedOnlyWhenCommitted() {
        var buffer = ByteBuffer(capacity: 16, limit: 64)
        let tooMuch = buffer.spare(atLeast: 65) == nil
        let overflowed = buffer.overflowed
        #expect(tooMuch && overflowed)
        buffer.reset()
        let room = buffer.spare(atLeast: 40)
        room?.copyBytes(from: [7, 8, 9])
        buffer.commit(3)
        let content = Array(buffer.view.buffer)
        #expect(content == [7, 8, 9])
        #expect((room?.count ?? 0) >= 40)
    }

    /// `count + extra` wraps for these; it once did, and the room was promised.
    @Test func absurdDemandsAreRefused() {
        var buffer = ByteBuffer(capacity: 16, limit: 64)
        buffer.append("abc")
        let promised = buffer.reserve(.max)
        let spared = buffer.spare(atLeast: .max) != nil
        #expect(!promised && !spared)
    }

    @Test func misuseStopsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 16)
            buffer.append("abc")
            buffer.truncate(to: 4)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 16)
            buffer.append("abc")
            buffer.commit(.max)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 16)
            buffer.append("abcdefgh")
            buffer.overwrite(littleEndian: UInt32(1), at: 5)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 16)
            buffer.append("abcdefgh")
            buffer.overwrite(littleEndian: UInt32(1), at: .max)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 16)
            buffer.dropFirst(1)
        }
    }
}
