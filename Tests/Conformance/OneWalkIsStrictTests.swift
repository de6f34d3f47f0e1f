import Bytes
import Testing
import Wire

/// The short way through a beacon takes nothing that the long way refuses. The fuzzer found that
/// control characters behind the events passed for white space.
@Suite struct OneWalkIsStrictTests {
    @Test(arguments: [("", true), (" \t\r\n", true), ("\u{1}", false), ("\u{0}", false)])
    func onlyWhiteSpaceMayStandBehindTheEvents(behind: String, isTaken: Bool) {
        let text = #"{"v":1,"k":"a","st":1,"w":"w","e":[{"t":"pv","n":1}]"#
        for body in ["\(text)\(behind)}", "\(text)}\(behind)"] {
            let found = Array(body.utf8).withUnsafeBytes { bytes in
                BeaconDecoder.decodeFront(ByteView(bytes)) != nil
            }
            #expect(found == isTaken, "\(body.debugDescription)")
        }
    }
}
