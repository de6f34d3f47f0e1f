import Bytes

/// Reads the context of a page load's first batch and keeps the members that are known.
enum ContextReader {
    /// What the context says that decisions depend on.
    struct Facts {
        var isTouch = false
        var isDriven = false
    }

    /// Writes the known members of `object` to `output` as an object; nothing when there are none.
    static func read(_ object: ByteView, into output: inout ByteBuffer) -> Facts {
        output.reset()
        var facts = Facts()
        guard !object.isEmpty else { return facts }
        var cursor = JSONCursor(object)
        var first = true
        do throws(JSONError) {
            try cursor.beginObject()
            while let key = try cursor.nextKey(&first) {
                let kind = try cursor.kind()
                let value = try cursor.skip()
                take(key, kind, value, &facts, &output)
            }
        } catch {
            output.reset()
            return Facts()
        }
        if output.count > 0 { output.append(UInt8(ascii: "}")) }
        if output.overflowed { output.reset() }
        return facts
    }

    private static func take(
        _ key: ByteView,
        _ kind: JSONCursor.Kind,
        _ value: ByteView,
        _ facts: inout Facts,
        _ output: inout ByteBuffer
    ) {
        guard isKnown(key), isScalar(kind), value.count <= 64 else { return }
        if key.equals("in") { facts.isTouch = value.equals("0") }
        if key.equals("wd") { facts.isDriven = value.equals("1") || value.equals("true") }
        output.append(output.count == 0 ? "{\"" : ",\"")
        output.append(key)
        output.append("\":")
        JSONText.appendStorable(value: value, into: &output)
    }

    private static func isScalar(_ kind: JSONCursor.Kind) -> Bool {
        kind == .number || kind == .string || kind == .boolean
    }

    private static func isKnown(_ key: ByteView) -> Bool {
        key.equals("l") || key.equals("z") || key.equals("vw") || key.equals("vh")
            || key.equals("pr") || key.equals("in") || key.equals("wd")
    }
}
