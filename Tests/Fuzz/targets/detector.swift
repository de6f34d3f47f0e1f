// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy

/// Any bytes, the first of which chooses the place and the length of a key: finds lie inside the text, in
/// order, and cut no character; what was masked in place keeps its length and stays as it is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDetector(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 2 else { return 0 }
    let view = ByteView(UnsafeRawBufferPointer(start: data, count: size))
    let place = TextPlace.allCases[Int(view[0]) % TextPlace.allCases.count]
    let keyLength = min(size - 2, Int(view[1]) % 24)
    let (key, text) = (view[2..<2 + keyLength], view[2 + keyLength..<size])
    var detector = Detector()
    detector.scan(text, at: place, key: key)
    var last = 0
    for span in detector.spans {
        guard span.start >= last, span.end > span.start, span.end <= text.count else {
            fatalError("finds overlap or leave the text")
        }
        last = span.end
    }
    var mask = RejectedBytes()
    var once = ByteBuffer(capacity: 256, limit: 1 << 20)
    _ = mask.sanitise(text, into: &once)
    guard once.count == text.count else { fatalError("the length changed") }
    return 0
}
