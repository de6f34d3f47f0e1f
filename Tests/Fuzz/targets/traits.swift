// Modules: Units Bytes Records Settings Privacy
import Bytes
import Privacy

/// Any JSON object through the filter for traits: what remains is one object of JSON again, and holds
/// no `@`, neither plain nor escaped.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTraits(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    guard isObject(view) else { return 0 }
    for subject in [TraitFilter.Subject.person, .event] {
        var filter = TraitFilter()
        var output = ByteBuffer(capacity: 256, limit: 1 << 20)
        output.append("{")
        filter.appendMembers(of: view, subject, into: &output)
        output.append("}")
        if output.overflowed { fatalError("more came out than went in") }
        guard isObject(output.view) else { fatalError("what remains is no object") }
        checkValues(output.view)
    }
    return 0
}

/// Neither keys nor values may hold an `@`.
private func checkValues(_ value: ByteView) {
    var cursor = JSONCursor(value)
    var first = true
    do throws(JSONError) {
        switch try cursor.kind() {
        case .object:
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                checkText(key)
                checkValues(try cursor.skip())
            }
        case .array:
            try cursor.beginArray()
            while try cursor.nextElement(&first) { checkValues(try cursor.skip()) }
        case .string: checkText(try cursor.string().raw)
        case .number, .boolean, .null: break
        }
    } catch { fatalError("what remains is no JSON") }
}

private func checkText(_ raw: ByteView) {
    var text = ByteBuffer(capacity: 64, limit: 1 << 20)
    JSONText.unescape(raw, into: &text)
    if text.view.firstIndex(of: UInt8(ascii: "@")) != nil { fatalError("an address came through") }
}

private func isObject(_ view: ByteView) -> Bool {
    var cursor = JSONCursor(view)
    do throws(JSONError) {
        guard try cursor.kind() == .object else { return false }
        _ = try cursor.skip()
        try cursor.end()
        return true
    } catch { return false }
}
