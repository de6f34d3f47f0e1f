// Modules: Units Bytes
import Bytes

/// Any bytes: skipping and walking accept the same texts, and what is written from an accepted text
/// is accepted again, and then no longer changes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let isAccepted = isJSON(view)
    guard isWalkable(view) == isAccepted else { fatalError("skipping and walking disagree") }
    if isAccepted { checkStorable(view) }
    return 0
}

private func isJSON(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        _ = try cursor.skip()
        try cursor.end()
        return true
    } catch {
        guard (0...view.count).contains(error.offset) else { fatalError("error outside the text") }
        return false
    }
}

private func isWalkable(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        try walk(&cursor, depth: 1)
        try cursor.end()
        return true
    } catch { return false }
}

private func walk(_ cursor: inout JSONCursor, depth: Int) throws(JSONError) {
    var first = true
    switch try cursor.kind() {
    case .object:
        if depth > JSONCursor.depthMaximum { throw cursor.error(.tooDeep) }
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) {
            checkUnescaped(key)
            try walk(&cursor, depth: depth + 1)
        }
    case .array:
        if depth > JSONCursor.depthMaximum { throw cursor.error(.tooDeep) }
        try cursor.beginArray()
        while try cursor.nextElement(&first) { try walk(&cursor, depth: depth + 1) }
    case .string: checkUnescaped(try cursor.string().raw)
    case .number: try walkNumber(&cursor)
    case .boolean: _ = try cursor.boolean()
    case .null: try cursor.null()
    }
}

/// A double may be refused for its length where skipping accepts it: both ways are read.
private func walkNumber(_ cursor: inout JSONCursor) throws(JSONError) {
    var other = cursor
    let text = try cursor.skip()
    let whole = JSONNumber.integer(text)
    if let number = try? other.integer(), number != whole { fatalError("two integers") }
    if let number = JSONNumber.double(text), !number.isFinite { fatalError("not finite") }
}

private func checkUnescaped(_ raw: ByteView) {
    var buffer = ByteBuffer(capacity: 64, limit: 1 << 22)
    JSONText.unescape(raw, into: &buffer)
    guard String(validating: buffer.view.buffer, as: UTF8.self) != nil else {
        fatalError("unescaping broke UTF-8")
    }
    var quoted = ByteBuffer(capacity: 64, limit: 1 << 24)
    JSONText.appendQuoted(buffer.view, into: &quoted)
    guard isJSON(quoted.view) else { fatalError("quoted text is not JSON") }
    let length = JSONText.prefixLength(raw, limit: 16)
    var cut = ByteBuffer(capacity: 64)
    cut.append("\"")
    cut.append(raw[0..<length])
    cut.append("\"")
    guard isJSON(cut.view) else { fatalError("a prefix is not JSON") }
}

private func checkStorable(_ view: ByteView) {
    var once = ByteBuffer(capacity: 64, limit: 1 << 24)
    JSONText.appendStorable(value: view, into: &once)
    guard isJSON(once.view) else { fatalError("storable text is not JSON") }
    var twice = ByteBuffer(capacity: 64, limit: 1 << 24)
    JSONText.appendStorable(value: once.view, into: &twice)
    guard once.view.equals(twice.view) else { fatalError("storable text is not stable") }
}
