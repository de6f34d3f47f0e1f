import Foundation

/// Any JSON text as a value: what clients send, and documents that are put together here.
enum JSONValue: Sendable, Equatable, Codable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    var text: String? { if case .string(let value) = self { value } else { nil } }
    var elements: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    var members: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    var whole: Int64? { if case .integer(let value) = self { value } else { nil } }
    var truth: Bool? { if case .bool(let value) = self { value } else { nil } }
    var words: [String]? {
        guard let elements else { return nil }
        let words = elements.compactMap(\.text)
        return words.count == elements.count ? words : nil
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }

    static func words(_ words: some Sequence<String>) -> JSONValue {
        .array(words.map { .string($0) })
    }
}

/// A body's object, read field by field. A field that nobody asks for is an error, so that a misspelt one
/// is not an answer to another question.
struct FieldReader {
    private let members: [String: JSONValue]
    /// JSON pointer to the object.
    let pointer: String
    private var asked: Set<String> = []

    init(_ value: JSONValue, at pointer: String = "") throws {
        guard let members = value.members else {
            throw ApiProblem.invalidField(pointer, "must be an object")
        }
        (self.members, self.pointer) = (members, pointer)
    }

    /// The field's value; nil when it is absent or null.
    mutating func value(_ name: String) -> JSONValue? {
        asked.insert(name)
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    mutating func text(_ name: String) throws -> String? {
        try typed(name, \.text, "must be a text")
    }

    mutating func whole(_ name: String) throws -> Int64? {
        try typed(name, \.whole, "must be a whole number")
    }

    mutating func truth(_ name: String) throws -> Bool? {
        try typed(name, \.truth, "must be true or false")
    }

    mutating func words(_ name: String) throws -> [String]? {
        try typed(name, \.words, "must be a list of texts")
    }

    mutating func elements(_ name: String) throws -> [JSONValue]? {
        try typed(name, \.elements, "must be a list")
    }

    private mutating func typed<Value>(
        _ name: String,
        _ read: (JSONValue) -> Value?,
        _ wanted: String
    ) throws -> Value? {
        guard let value = value(name) else { return nil }
        guard let found = read(value) else {
            throw ApiProblem.invalidField("\(pointer)/\(name)", wanted)
        }
        return found
    }

    /// To be called when everything has been asked for.
    func end() throws {
        if let name = members.keys.sorted().first(where: { !asked.contains($0) }) {
            throw ApiProblem.unknownField("\(pointer)/\(name.prefix(64))", asked.sorted())
        }
    }
}
