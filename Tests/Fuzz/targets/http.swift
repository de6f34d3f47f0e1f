// Modules: Units Bytes Settings Framing
import Bytes
import Wire

/// Any bytes: a head is read the same whole or cut, its views lie inside it, and a chunked body
/// gives the same bytes however it is split.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let whole = outcome(view)
    for length in stride(from: 0, to: size, by: max(1, size / 16)) {
        check(outcome(view[0..<length]), against: whole, cut: length)
    }
    if whole > 0 {
        checkChunks(view[whole..<size])
    } else {
        checkChunks(view)
    }
    return 0
}

/// The head's length, 0 when incomplete, -1 when refused.
private func outcome(_ view: ByteView) -> Int {
    switch RequestParser.parse(view) {
    case .incomplete: return 0
    case .refused: return -1
    case .complete(let head):
        guard head.length > 0, head.length <= view.count else { fatalError("length of the head") }
        return head.length
    }
}

private func check(_ part: Int, against whole: Int, cut: Int) {
    if part == 0, whole > 0, cut >= whole { fatalError("a whole head is incomplete") }
    if part > 0, part != whole { fatalError("a cut changed the head") }
    if part < 0, whole >= 0 { fatalError("a cut head is refused, the whole is not") }
}

private func checkChunks(_ view: ByteView) {
    let whole = decoded(view, step: view.count)
    let bytewise = decoded(view, step: 1)
    guard whole == bytewise else { fatalError("a split changed the body") }
}

/// The body, whether it ended, and whether it was refused.
private func decoded(_ view: ByteView, step: Int) -> [UInt8] {
    var decoder = ChunkedDecoder()
    var body = ByteBuffer(capacity: 1024, limit: 1 << 20)
    var position = 0
    var isRefused = false
    do throws(FramingError) {
        while position < view.count, !decoder.isDone {
            let end = min(view.count, position + max(step, 1))
            position += try decoder.decode(view[position..<end], into: &body)
        }
    } catch { isRefused = true }
    // What was decoded before the refusal depends on the split; nobody uses it.
    if isRefused { return [255] }
    return Array(body.view.buffer) + [decoder.isDone ? 1 : 0] + [UInt8(position & 127)]
}
