import Bytes
import Testing

/// A view never reads outside its bytes: a wrong index ends the process.
@Suite struct ViewStaysInsideTests {
    @Test func indexesOutsideStopTheProcess() async {
        await #expect(processExitsWith: .failure) { _ = ByteView("abc")[3] }
        await #expect(processExitsWith: .failure) { _ = ByteView("abc")[-1] }
        await #expect(processExitsWith: .failure) { _ = ByteView("abc")[.max] }
        await #expect(processExitsWith: .failure) { _ = ByteView.empty[0] }
    }

    @Test func rangesOutsideStopTheProcess() async {
        await #expect(processExitsWith: .failure) { _ = ByteView("abc")[1..<4] }
        await #expect(processExitsWith: .failure) { _ = ByteView("abc")[-1..<1] }
    }

    @Test func loadsOutsideStopTheProcess() async {
        await #expect(processExitsWith: .failure) {
            _ = ByteView("abcdefg").load(UInt64.self, at: 0)
        }
        await #expect(processExitsWith: .failure) {
            _ = ByteView("abcdefgh").load(UInt32.self, at: 5)
        }
        await #expect(processExitsWith: .failure) {
            _ = ByteView("abcdefgh").load(UInt32.self, at: -1)
        }
        // Offset plus size wraps to a small number here.
        await #expect(processExitsWith: .failure) {
            _ = ByteView("abcdefgh").load(UInt64.self, at: .max - 3)
        }
        await #expect(processExitsWith: .failure) {
            _ = ByteView("abcdefgh").firstIndex(of: 0, from: -8)
        }
    }

    @Test func whatIsInsideIsRead() {
        let view = ByteView("abcdefgh")
        #expect(view[0] == 97 && view[7] == 104)
        #expect(view[8..<8].isEmpty)
        #expect(view.load(UInt16.self, at: 6) == 0x6867)
        #expect(view.load(UInt64.self, at: 0) == 0x6867_6665_6463_6261)
    }

    @Test func searchingFindsTheFirst() {
        let view = ByteView("abcabc")
        #expect(view.firstIndex(of: 99) == 2)
        #expect(view.firstIndex(of: 99, from: 3) == 5)
        #expect(view.firstIndex(of: 97, from: 6) == nil)
        #expect(view.firstIndex(of: 97, from: 600) == nil)
        #expect(view.firstIndex(of: 120) == nil)
        #expect(ByteView.empty.firstIndex(of: 0) == nil)
    }

    @Test func comparing() {
        let view = ByteView("Content-Length")
        #expect(view.equals("Content-Length") && !view.equals("content-length"))
        #expect(view.equalsIgnoringCase("CONTENT-LENGTH"))
        #expect(!view.equalsIgnoringCase("Content-Lengt\u{8}"))
        #expect(view.starts(with: "Content") && !view.starts(with: "Content-Length:"))
        // The bytes beside the letters differ in bit 5 as well, and are no letters.
        #expect(!ByteView("@[`{").equalsIgnoringCase("`{@["))
    }

    @Test func decimals() {
        #expect(ByteView("0").decimal == 0)
        #expect(ByteView("000000000000000042").decimal == 42)
        #expect(ByteView("999999999999999999").decimal == 999_999_999_999_999_999)
        let refused: [StaticString] = [
            "", "+1", "-1", " 1", "1 ", "1.0", "0x1", "1000000000000000000",
        ]
        for text in refused { #expect(ByteView(text).decimal == nil) }
    }
}
