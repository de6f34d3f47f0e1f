import Bytes
import Testing

/// An identifier inside a fixed-size state.
@Suite struct ShortTextTests {
    @Test func everyLengthUpToTheCapacityIsKept() throws {
        for length in 0...ShortText.capacity {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 255) }
            let text = try #require(withView(bytes) { ShortText($0) })
            #expect(text.count == length && text.isEmpty == (length == 0))
            #expect(text.withBytes { Array($0.buffer) } == bytes)
        }
    }

    @Test func whatIsLongerIsRefused() {
        #expect(withView([UInt8](repeating: 97, count: 64)) { ShortText($0) } == nil)
    }

    @Test func lengthIsPartOfTheValue() {
        let one = withView([97]) { ShortText($0) }
        let padded = withView([97, 0]) { ShortText($0) }
        #expect(one != padded)
        #expect(one == withView([97]) { ShortText($0) })
        #expect(Set([one, padded]).count == 2)
    }

    @Test func itTakesOneCacheLine() { #expect(MemoryLayout<ShortText>.size == 64) }
}
