import Bytes

/// A JSON text as a value. For what is read once and small: platforms' answers, operators' files.
public enum JSONValue: Sendable, Equatable {
    case null
    case flag(Bool)
    /// As it was written.
    case number(String)
    case text(String)
    case list([JSONValue])
    /// In the order of the text.
    case object([Member])

    /// A member of an object.
    public struct Member: Sendable, Equatable {
        /// Its name.
        public let key: String
        /// Its value.
        public let value: JSONValue
    }

    /// Reads a whole text; nil when it is not JSON.
    public init?(_ bytes: [UInt8]) {
        guard let tree = bytes.withUnsafeBytes({ JSONValue(ByteView($0)) }) else { return nil }
        self = tree
    }

    /// The same of bytes that somebody else holds.
    init?(_ bytes: ByteView) {
        var cursor = JSONCursor(bytes)
        do throws(JSONError) {
            self = try Self.read(&cursor)
            try cursor.end()
        } catch {
            return nil
        }
    }

    /// The cursor limits the depth.
    private static func read(_ cursor: inout JSONCursor) throws(JSONError) -> JSONValue {
        let kind = try cursor.kind()
        let value = try cursor.skip(anyNumbers: true)
        switch kind {
        case .null: return .null
        case .boolean: return .flag(value.equals("true"))
        case .number: return .number(value.text)
        case .string: return .text(unescaped(value[1..<value.count - 1]))
        case .array: return .list(try elements(value))
        case .object: return .object(try members(value))
        }
    }

    private static func unescaped(_ raw: ByteView) -> String {
        var buffer = ByteBuffer(capacity: raw.count + 16)
        JSONText.unescape(raw, into: &buffer)
        return buffer.view.text
    }

    private static func elements(_ bytes: ByteView) throws(JSONError) -> [JSONValue] {
        var (cursor, first, elements) = (JSONCursor(bytes), true, [JSONValue]())
        try cursor.beginArray()
        while try cursor.nextElement(&first) { elements.append(try read(&cursor)) }
        return elements
    }

    private static func members(_ bytes: ByteView) throws(JSONError) -> [Member] {
        var (cursor, first, members) = (JSONCursor(bytes), true, [Member]())
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) {
            members.append(Member(key: unescaped(key), value: try read(&cursor)))
        }
        return members
    }

    /// The member called `key`, of an object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    /// The elements of a list; none of anything else.
    public var elements: [JSONValue] {
        if case .list(let elements) = self { return elements }
        return []
    }

    /// The members of an object; none of anything else.
    public var members: [Member] {
        if case .object(let members) = self { return members }
        return []
    }

    /// A text, or a number as it was written.
    public var text: String? {
        switch self {
        case .text(let text), .number(let text): return text
        default: return nil
        }
    }

    /// A whole number, also one that was written as a text.
    public var integer: Int64? { text.flatMap { Int64($0) } }

    /// A flag.
    public var flag: Bool? {
        if case .flag(let flag) = self { return flag }
        return nil
    }
}

extension JSONWriter {
    /// A value that was read before.
    mutating func tree(_ key: String?, _ tree: JSONValue) {
        switch tree {
        case .null: null(key)
        case .flag(let flag): self.flag(key, flag)
        case .number(let number): raw(key, number)
        case .text(let text): self.text(key, text)
        case .list(let elements):
            list(key) { json in for element in elements { json.tree(nil, element) } }
        case .object(let members):
            object(key) { json in for member in members { json.tree(member.key, member.value) } }
        }
    }
}
