import Bytes

/// A JSON value as a tree: for what is rare, such as a conversion's properties or a platform's answer.
enum JSONTree: Equatable {
    case object([(key: String, value: JSONTree)])
    case array([JSONTree])
    case string(String)
    case number(Double)
    case boolean(Bool)
    case null

    /// Reads one value; nil when it is not sound JSON.
    init?(_ bytes: ByteView) {
        var cursor = JSONCursor(bytes)
        do throws(JSONError) {
            self = try Self.value(&cursor)
            try cursor.end()
        } catch {
            return nil
        }
    }

    static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.object(let left), .object(let right)): left.elementsEqual(right, by: ==)
        case (.array(let left), .array(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.boolean(let left), .boolean(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }

    private static func value(_ cursor: inout JSONCursor) throws(JSONError) -> JSONTree {
        switch try cursor.kind() {
        case .object: return try object(&cursor)
        case .array: return try array(&cursor)
        case .string: return .string(Self.text(try cursor.string().raw))
        case .number: return .number(try cursor.double())
        case .boolean: return .boolean(try cursor.boolean())
        case .null:
            try cursor.null()
            return .null
        }
    }

    private static func object(_ cursor: inout JSONCursor) throws(JSONError) -> JSONTree {
        var members: [(key: String, value: JSONTree)] = []
        var isFirst = true
        try cursor.beginObject()
        while let key = try cursor.nextKey(&isFirst) {
            members.append((text(key), try value(&cursor)))
        }
        return .object(members)
    }

    private static func array(_ cursor: inout JSONCursor) throws(JSONError) -> JSONTree {
        var elements: [JSONTree] = []
        var isFirst = true
        try cursor.beginArray()
        while try cursor.nextElement(&isFirst) { elements.append(try value(&cursor)) }
        return .array(elements)
    }

    private static func text(_ raw: ByteView) -> String {
        var buffer = ByteBuffer(capacity: raw.count + 16)
        JSONText.unescape(raw, into: &buffer)
        return buffer.view.text
    }

    // MARK: - Asking

    /// The member called `key`, the last of several; nil when there is none or this is no object.
    subscript(key: String) -> JSONTree? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    /// The elements of an array; empty for what is none.
    var elements: [JSONTree] {
        if case .array(let elements) = self { return elements }
        return []
    }

    /// The text of a string.
    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// A finite number, also one that was sent as text.
    var number: Double? {
        switch self {
        case .number(let number): return number.isFinite ? number : nil
        case .string(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            return number
        default: return nil
        }
    }

    /// Whether it is `true`, or 1 as senders of few bytes write it.
    var isTrue: Bool { self == .boolean(true) || self == .number(1) }

    /// A text, or a whole number as text: what ids are sent as.
    var identifier: String? {
        switch self {
        case .string(let text): return text.isEmpty ? nil : text
        case .number(let number):
            guard let whole = Int64(exactly: number) else { return nil }
            return String(whole)
        default: return nil
        }
    }
}
