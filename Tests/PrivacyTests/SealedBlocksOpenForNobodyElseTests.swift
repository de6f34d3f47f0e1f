import Bytes
import Privacy
import TestSupport
import Testing

/// What was sealed opens with its key, for its visitor, and otherwise not at all.
struct SealedBlocksOpenForNobodyElseTests {
    private static let key = (0..<32).map { UInt8($0) }

    private func sealed(_ text: String, visitor: String = "v1") -> [UInt8] {
        var cipher = SealedBlock()
        var output = ByteBuffer(capacity: 16 * 1024)
        let isSealed = withView(text) { text in
            withView(visitor) { visitor in
                cipher.seal(
                    text,
                    day: 20_778,
                    key: Self.key,
                    site: ByteView("shop"),
                    visitor: visitor,
                    into: &output
                )
            }
        }
        #expect(isSealed)
        return Array(output.view.buffer)
    }

    private func opened(
        _ block: [UInt8],
        key: [UInt8] = key,
        site: String = "shop",
        visitor: String = "v1"
    ) -> String? {
        var cipher = SealedBlock()
        var output = ByteBuffer(capacity: 16 * 1024)
        let isOpen = withView(block) { block in
            withView(site) { site in
                withView(visitor) { visitor in
                    cipher.open(block, key: key, site: site, visitor: visitor, into: &output)
                }
            }
        }
        if !isOpen { #expect(output.view.isEmpty) }
        return isOpen ? output.view.text : nil
    }

    @Test func itsOwnerAndKeyOpenIt() {
        for text in ["", "x", String(repeating: "long ", count: 400)] {
            #expect(opened(sealed(text)) == text)
        }
        withView(sealed("x")) { #expect(SealedBlock.day(of: $0) == 20_778) }
    }

    @Test func nobodyElseDoes() {
        let block = sealed("{\"ip\":\"203.0.113.9\"}")
        #expect(opened(block, visitor: "v2") == nil)
        #expect(opened(block, site: "other") == nil)
        #expect(opened(block, key: Array(Self.key.reversed())) == nil)
        // Site and visitor do not run together.
        #expect(opened(block, site: "shop\u{0}v", visitor: "1") == nil)
    }

    @Test func everyBitCounts() {
        let block = sealed("{\"ip\":\"203.0.113.9\"}")
        // The day is not part of what is authenticated: it only says which key to take.
        for place in block.indices where !(1...4).contains(place) {
            for bit in 0..<8 {
                var damaged = block
                damaged[place] ^= 1 << bit
                #expect(opened(damaged) == nil)
            }
        }
        for length in 0..<block.count { #expect(opened(Array(block[0..<length])) == nil) }
    }

    @Test func noTwoBlocksAreAlike() {
        let blocks = Set((0..<200).map { _ in sealed("the same text") })
        #expect(blocks.count == 200)
    }
}
