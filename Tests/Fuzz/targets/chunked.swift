// Modules: Units Bytes Settings Framing
import Bytes
import Wire

/// Any bytes as a chunked body, cut where its first byte says: the same as in one piece, and the same
/// as a second decoder makes of it that was written for nothing but this comparison.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunked(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 1 else { return 0 }
    let step = Int(data[0] & 31) + 1
    let view = ByteView(UnsafeRawBufferPointer(start: data + 1, count: size - 1))
    let whole = decoded(view, step: view.count)
    guard whole == decoded(view, step: step) else { fatalError("a cut changed the body") }
    let plain = Array(view.buffer)
    switch whole {
    case .refused:
        if case .body = simple(plain) { fatalError("refused what is a chunked body") }
    case .waits: break
    case .body(let body, let end):
        guard simple(plain) == .body(body, end) else { fatalError("two bodies") }
    }
    return 0
}

private enum Outcome: Equatable {
    case waits, refused
    case body([UInt8], Int)
}

private func decoded(_ view: ByteView, step: Int) -> Outcome {
    var decoder = ChunkedDecoder()
    var body = ByteBuffer(capacity: 64, limit: 1 << 20)
    var position = 0
    do throws(FramingError) {
        while position < view.count, !decoder.isDone {
            let piece = view[position..<min(view.count, position + step)]
            position += try decoder.decode(piece, into: &body)
        }
    } catch { return .refused }
    return decoder.isDone ? .body(Array(body.view.buffer), position) : .waits
}

/// Line by line, on the whole text: RFC 9112 section 7.1, with a token for a trailer's name.
private func simple(_ bytes: [UInt8]) -> Outcome {
    var rest = bytes[...]
    var body: [UInt8] = []
    while let line = takeLine(&rest) {
        let digits = line.prefix { $0 != 59 }
        guard let size = size(digits), line.count - digits.count != 1 else { return .refused }
        if !line.dropFirst(digits.count).allSatisfy(isText) { return .refused }
        if size == 0 { return simpleTrailers(rest, body, bytes.count) }
        guard rest.count >= size + 2 else { return .waits }
        body += rest.prefix(size)
        rest = rest.dropFirst(size)
        guard rest.popFirst() == 13, rest.popFirst() == 10 else { return .refused }
    }
    return .waits
}

private func simpleTrailers(_ bytes: ArraySlice<UInt8>, _ body: [UInt8], _ count: Int) -> Outcome {
    var rest = bytes
    while let line = takeLine(&rest) {
        if line.isEmpty { return .body(body, count - rest.count) }
        let name = line.prefix { $0 != 58 }
        guard !name.isEmpty, name.count < line.count, name.allSatisfy(isToken),
            line.dropFirst(name.count + 1).allSatisfy(isText)
        else { return .refused }
        let lower = String(decoding: name, as: UTF8.self).lowercased()
        if lower == "content-length" || lower == "transfer-encoding" { return .refused }
    }
    return .waits
}

/// Up to a CRLF; nil when there is none.
private func takeLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var index = rest.startIndex
    while index + 1 < rest.endIndex {
        if rest[index] == 13, rest[index + 1] == 10 {
            defer { rest = rest[(index + 2)...] }
            return rest[rest.startIndex..<index]
        }
        index += 1
    }
    return nil
}

private func size(_ digits: ArraySlice<UInt8>) -> Int? {
    guard (1...15).contains(digits.count), digits.first != 43, digits.first != 45,
        let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
    else { return nil }
    return size > 1 << 20 ? nil : size
}

private func isText(_ byte: UInt8) -> Bool { byte == 9 || (byte >= 32 && byte != 127) }

private func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: return true
    default: return "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
