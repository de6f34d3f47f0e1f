import Bytes
import Records
import Testing

/// What is written is read back; what is damaged is noticed and harms nobody.
@Suite struct RecordsSurviveAndShowDamageTests {
    @Test(arguments: 1...60)
    func randomSlicesComeBackAsTheyWere(seed: Int) throws {
        var dice = Dice(UInt64(seed))
        let content = SliceContent(random: &dice)
        let bytes = try #require(content.written())
        let read = withView(bytes) { view in Slice(view).flatMap { SliceContent($0) } }
        #expect(read == content)
    }

    @Test func aSliceThatDoesNotFitIsRefusedWhole() throws {
        var dice = Dice(5)
        let content = SliceContent(random: &dice)
        let length = try #require(content.written()).count
        #expect(content.written(limit: length) != nil)
        for limit in stride(from: 16, to: length, by: 97) {
            #expect(content.written(limit: max(limit, 16)) == nil || limit >= length)
        }
    }

    /// The checksum catches damage before a slice is read; reading must be safe even so.
    @Test(arguments: 1...40)
    func readingDamagedSlicesNeverLeavesTheBytes(seed: Int) throws {
        var dice = Dice(UInt64(seed) &+ 1000)
        let original = try #require(SliceContent(random: &dice).written())
        for _ in 0..<300 {
            var bytes = original
            for _ in 0...dice.below(3) { bytes[dice.below(bytes.count)] = UInt8(dice.below(256)) }
            if dice.below(3) == 0 { bytes.removeLast(dice.below(bytes.count)) }
            withView(bytes) { view in _ = Slice(view).flatMap { SliceContent($0) } }
        }
    }

    @Test(arguments: 1...20)
    func headersComeBackAsTheyWere(seed: Int) throws {
        var dice = Dice(UInt64(seed))
        let payload = dice.bytes(dice.below(500))
        let header = header(for: payload, &dice)
        let bytes = record(header)
        #expect(bytes.count == RecordHeader.size)
        let read = try #require(withView(bytes) { RecordHeader($0) })
        #expect(read.sequence == header.sequence && read.offset == header.offset)
        #expect(read.receivedAt == header.receivedAt && read.duplicates == header.duplicates)
        #expect(read.partition == header.partition && read.kind == header.kind)
        #expect(read.payloadLength == payload.count)
        #expect(read.recordLength % RecordHeader.alignment == 0)
        #expect(read.recordLength - RecordHeader.size - payload.count < RecordHeader.alignment)
        #expect(read.payloadChecksum == withView(payload) { $0.crc32c() })
    }

    @Test func everyFlippedBitOfAHeaderIsNoticed() {
        var dice = Dice(1)
        let original = record(header(for: dice.bytes(100), &dice))
        for bit in 0..<original.count * 8 {
            var bytes = original
            bytes[bit / 8] ^= UInt8(1 << (bit % 8))
            #expect(withView(bytes) { RecordHeader($0) } == nil, "bit \(bit)")
        }
        for length in 0..<RecordHeader.size {
            #expect(withView(Array(original[..<length])) { RecordHeader($0) } == nil)
        }
    }

    @Test func everyFlippedBitOfAPayloadIsNoticed() {
        var dice = Dice(2)
        let payload = dice.bytes(200)
        let checksum = header(for: payload, &dice).payloadChecksum
        for bit in 0..<payload.count * 8 {
            var bytes = payload
            bytes[bit / 8] ^= UInt8(1 << (bit % 8))
            #expect(withView(bytes) { $0.crc32c() } != checksum)
        }
    }

    @Test func partitionsAreRedisSlotsShiftedBySix() {
        #expect(withView(Array("foo".utf8)) { Partition(visitor: $0) }.index == UInt8(12182 >> 6))
        var seen = Set<UInt8>()
        for number in 0..<20_000 {
            seen.insert(withView(Array("visitor-\(number)".utf8)) { Partition(visitor: $0) }.index)
        }
        #expect(seen.count == Partition.count)
    }

    @Test func codesAndNamesAreOneToOne() {
        for kind in EventKind.allCases {
            #expect(withView(Array(kind.code.utf8)) { EventKind(code: $0) } == kind)
        }
        #expect(Signal.allCases.count == Signal.count)
        #expect(Set(Signal.allCases.map(\.name)).count == Signal.count)
        for signal in Signal.allCases { #expect(Signal(name: signal.name) == signal) }
        #expect(Signal(name: "scroll") == nil)
    }

    private func header(for payload: [UInt8], _ dice: inout Dice) -> RecordHeader {
        var header = withView(payload) {
            RecordHeader(
                kind: .slice,
                partition: Partition(UInt8(payload.count & 255)),
                receivedAt: 1_760_000_000_000,
                payload: $0
            )
        }
        header.sequence = dice.next()
        header.offset = dice.next()
        header.duplicates = dice.next()
        return header
    }

    private func record(_ header: RecordHeader) -> [UInt8] {
        var buffer = ByteBuffer(capacity: 64)
        header.write(to: &buffer)
        return Array(buffer.view.buffer)
    }
}
