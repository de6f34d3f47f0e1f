// Goal: what was refused is read back as it was written, and no stranger's bytes can pass for a
// record's header. Method: random rejections, every truncation of one, and texts full of zero bytes.
import Bytes
import Records
import Testing

struct RejectionsSurviveTests {
    private struct Content: Equatable {
        var flags: UInt8
        var format: Rejection.Format
        var length: UInt32
        var texts: [[UInt8]]
        var bytes: [UInt8]

        init(random dice: inout Dice) {
            flags = UInt8(dice.below(32))
            format = Rejection.Format.allCases[dice.below(Rejection.Format.allCases.count)]
            length = UInt32(truncatingIfNeeded: dice.next())
            texts = (0..<8).map { _ in
                (0..<dice.below(256)).map { _ in UInt8(0x20 + dice.below(0x5f)) }
            }
            bytes = dice.bytes(dice.below(3000))
        }

        init(_ rejection: Rejection) {
            flags = rejection.flags.rawValue
            format = rejection.format
            length = rejection.originalLength
            texts = [
                rejection.reason, rejection.place, rejection.site, rejection.key, rejection.path,
                rejection.id, rejection.address, rejection.userAgent,
            ].map { Array($0.buffer) }
            bytes = Array(rejection.bytes.buffer)
        }

        func write() -> [UInt8] {
            var buffer = ByteBuffer(capacity: 8192)
            var rejection = Rejection()
            rejection.flags = Rejection.Flags(rawValue: flags)
            rejection.format = format
            rejection.originalLength = length
            withViews(texts) { views in
                (rejection.reason, rejection.place) = (views[0], views[1])
                (rejection.site, rejection.key) = (views[2], views[3])
                (rejection.path, rejection.id) = (views[4], views[5])
                (rejection.address, rejection.userAgent) = (views[6], views[7])
                _ = rejection.begin(in: &buffer)
            }
            withView(bytes) { buffer.append($0) }
            return Array(buffer.view.buffer)
        }

        private func withViews(_ texts: [[UInt8]], _ body: ([ByteView]) -> Void) {
            var all = ByteBuffer(capacity: 4096)
            var ranges: [Range<Int>] = []
            for text in texts {
                let start = all.count
                withView(text) { all.append($0) }
                ranges.append(start..<all.count)
            }
            body(ranges.map { all.view[$0] })
        }
    }

    @Test func whatWasWrittenIsRead() {
        var dice = Dice(11)
        for _ in 0..<2_000 {
            let content = Content(random: &dice)
            let read = withView(content.write()) { Rejection($0).map { Content($0) } }
            #expect(read == content)
        }
    }

    @Test func aCutOneIsRefusedOrShorterButNeverReadBeyond() {
        var dice = Dice(12)
        let content = Content(random: &dice)
        let whole = content.write()
        for length in 0..<whole.count {
            let read = withView(Array(whole[0..<length])) { Rejection($0).map { Content($0) } }
            guard let read else { continue }
            #expect(read.texts == content.texts)
            #expect(read.bytes.count == content.bytes.count - (whole.count - length))
        }
    }

    @Test func textsHoldVisibleCharactersOnly() {
        var dice = Dice(13)
        var content = Content(random: &dice)
        content.texts = (0..<8).map { _ in dice.bytes(dice.below(300)) }
        let read = withView(content.write()) { Rejection($0).map { Content($0) } }
        for (written, found) in zip(content.texts, read?.texts ?? []) {
            #expect(found.count == min(written.count, 255))
            #expect(found.allSatisfy { (0x20...0x7e).contains($0) })
        }
        #expect(read?.bytes == content.bytes)
    }

    @Test func aHeaderOfTheKindIsReadBack() throws {
        var buffer = ByteBuffer(capacity: 64)
        let header = RecordHeader(
            kind: .rejected,
            partition: Partition(7),
            receivedAt: 9,
            payload: ByteView("abc")
        )
        header.write(to: &buffer)
        let read = try #require(RecordHeader(buffer.view))
        #expect(read.kind == .rejected && read.payloadLength == 3)
    }
}
