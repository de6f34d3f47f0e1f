import Bytes

/// Writes a JSON object member by member into a buffer.
struct JSONObjectWriter: ~Copyable {
    private(set) var buffer: ByteBuffer
    private var isFirst = true

    init(limit: Int) {
        buffer = ByteBuffer(capacity: 1024, limit: limit)
        buffer.append("{")
    }

    /// The object, closed; nil when it outgrew its limit.
    consuming func finish() -> String? {
        buffer.append("}")
        return buffer.overflowed ? nil : buffer.view.text
    }

    /// Starts a member; its value is to be appended to `buffer` through the functions below.
    private mutating func key(_ name: String) {
        if !isFirst { buffer.append(",") }
        isFirst = false
        Self.append(name, to: &buffer)
        buffer.append(":")
    }

    mutating func add(_ name: String, _ text: String?) {
        guard let text else { return }
        key(name)
        Self.append(text, to: &buffer)
    }

    mutating func add(_ name: String, _ number: Double?) {
        guard let number, number.isFinite else { return }
        key(name)
        buffer.append(text: Self.text(number))
    }

    mutating func add(_ name: String, _ flag: Bool) {
        key(name)
        buffer.append(flag ? "true" : "false")
    }

    /// A member whose value is JSON already.
    mutating func add(_ name: String, json: String) {
        key(name)
        buffer.append(text: json)
    }

    /// Whole numbers without a fraction, others in the shortest form that reads back.
    static func text(_ number: Double) -> String {
        if let whole = Int64(exactly: number) { return String(whole) }
        return "\(number)"
    }

    private static func append(_ text: String, to buffer: inout ByteBuffer) {
        var plain = ByteBuffer(capacity: text.utf8.count + 16)
        plain.append(text: text)
        JSONText.appendQuoted(plain.view, into: &buffer)
    }
}
