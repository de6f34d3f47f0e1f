import Bytes
import Privacy

/// One row of `heliograph privacy scan`: views of its line.
struct PrivacyRow {
    /// The id as it was written, quotes included.
    var id = ByteView.empty
    /// Where the text was found.
    var place: TextPlace?
    /// Name of the property or parameter, escapes not resolved.
    var key = ByteView.empty
    /// The text, escapes not resolved; nil when there is none.
    var text: ByteView?
    /// The label somebody gave the row: an array of spans.
    var label: ByteView?

    init(_ bytes: ByteView) throws(JSONError) {
        var cursor = JSONCursor(bytes)
        var first = true
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) {
            let kind = try cursor.kind()
            let value = try cursor.skip()
            take(key, value, kind)
        }
        try cursor.end()
    }

    private mutating func take(_ key: ByteView, _ value: ByteView, _ kind: JSONCursor.Kind) {
        if key.equals("id"), kind == .string || kind == .number { id = value }
        if key.equals("spans"), kind == .array { label = value }
        guard kind == .string else { return }
        let text = value[1..<value.count - 1]
        if key.equals("text") { self.text = text }
        if key.equals("key") { self.key = text }
        if key.equals("where") { place = TextPlace.allCases.first { text.equals($0.name) } }
    }
}

/// Rows on their way through the detector.
struct PrivacyRows: ~Copyable {
    private var detector = Detector()
    private var text = ByteBuffer(capacity: 4096, limit: 16 * 1024 * 1024)
    private var key = ByteBuffer(capacity: 256, limit: 1024 * 1024)
    /// Lines that wait to be written.
    private(set) var output = ByteBuffer(capacity: 64 * 1024, limit: 64 * 1024 * 1024)
    /// How found and labelled agree.
    private(set) var accuracy = PrivacyAccuracy()

    /// Takes one line; what is wrong with it, or nil.
    mutating func take(_ bytes: ByteView, comparing: Bool) -> String? {
        let row: PrivacyRow
        do throws(JSONError) {
            row = try PrivacyRow(bytes)
        } catch {
            return "byte \(error.offset + 1): \(error.reason)"
        }
        guard !row.id.isEmpty else { return "there is no \"id\"" }
        guard let raw = row.text else { return "there is no text \"text\"" }
        guard let place = row.place else {
            let names = TextPlace.allCases.map { "\($0.name)" }
            return "\"where\" is none of \(names.joined(separator: ", "))"
        }
        text.reset()
        key.reset()
        JSONText.unescape(raw, into: &text)
        JSONText.unescape(row.key, into: &key)
        if text.overflowed || key.overflowed { return "the text is too long" }
        detector.scan(text.view, at: place, key: key.view)
        if comparing, let label = row.label {
            if let problem = accuracy.take(label, detector.spans, text.view) { return problem }
        }
        write(row.id)
        return nil
    }

    /// Hands over what was written.
    mutating func flush(_ body: (ByteView) -> Void) {
        body(output.view)
        output.reset()
    }

    private mutating func write(_ id: ByteView) {
        output.append("{\"id\":")
        output.append(id)
        output.append(",\"spans\":[")
        var counter = ScalarCounter()
        var isFirst = true
        for span in detector.spans {
            if !isFirst { output.append(",") }
            isFirst = false
            let start = counter.scalars(of: text.view, before: span.start)
            let end = counter.scalars(of: text.view, before: span.end)
            write(span, start, end)
        }
        output.append("]}\n")
    }

    private mutating func write(_ span: PersonalSpan, _ start: Int, _ end: Int) {
        output.append("{\"start\":")
        output.append(decimal: Int64(start))
        output.append(",\"end\":")
        output.append(decimal: Int64(end))
        output.append(",\"class\":\"")
        output.append(span.personalClass.name)
        output.append("\",\"bstart\":")
        output.append(decimal: Int64(span.start))
        output.append(",\"bend\":")
        output.append(decimal: Int64(span.end))
        output.append(",\"action\":\"")
        output.append(span.personalClass.action.name)
        output.append("\"}")
    }
}

/// Counts characters up to ever later bytes of one text.
struct ScalarCounter {
    private var byte = 0
    private var scalars = 0

    /// Unicode scalars before byte `end`, which is not before the one asked for last.
    mutating func scalars(of text: ByteView, before end: Int) -> Int {
        while byte < end {
            if text[byte] & 0xc0 != 0x80 { scalars += 1 }
            byte += 1
        }
        return scalars
    }
}
