import Settings

/// Which rows count: leaves that compare a dimension, joined by and, or, not.
indirect enum QueryFilter: Sendable, Equatable {
    case all([QueryFilter])
    case any([QueryFilter])
    case not(QueryFilter)
    case leaf(field: String, operation: Operation, values: [String])

    /// How a leaf compares.
    enum Operation: String, CaseIterable, Sendable {
        case isIn = "in"
        case isNotIn = "not_in"
        case contains
        case containsNot = "not_contains"
        case startsWith = "starts_with"
        case isNull = "is_null"
    }

    /// The filter that `value` writes.
    init(_ value: JSONValue) throws {
        self = try Self.read(value, at: "/filter", depth: 1)
        if leaves.count > Limits.queryFilterLeavesMaximum {
            throw ApiProblem.field(
                "invalid-filter",
                "/filter",
                "has more than \(Limits.queryFilterLeavesMaximum) leaves"
            )
        }
    }

    private static func read(
        _ value: JSONValue,
        at pointer: String,
        depth: Int
    ) throws -> QueryFilter {
        if depth > Limits.queryFilterDepthMaximum {
            throw ApiProblem.field(
                "invalid-filter",
                pointer,
                "is nested more than \(Limits.queryFilterDepthMaximum) deep"
            )
        }
        var fields = try FieldReader(value, at: pointer)
        if let list = try fields.elements("and") {
            try fields.end()
            return .all(try parts(list, at: pointer + "/and", depth: depth))
        }
        if let list = try fields.elements("or") {
            try fields.end()
            return .any(try parts(list, at: pointer + "/or", depth: depth))
        }
        if let inner = fields.value("not") {
            try fields.end()
            return .not(try read(inner, at: pointer + "/not", depth: depth + 1))
        }
        return try leaf(&fields)
    }

    private static func parts(
        _ list: [JSONValue],
        at pointer: String,
        depth: Int
    ) throws -> [QueryFilter] {
        if list.isEmpty { throw ApiProblem.field("invalid-filter", pointer, "is empty") }
        return try list.enumerated().map {
            try read($1, at: "\(pointer)/\($0)", depth: depth + 1)
        }
    }

    private static func leaf(_ fields: inout FieldReader) throws -> QueryFilter {
        let pointer = fields.pointer
        let (field, word) = (try fields.text("field"), try fields.text("op"))
        let values = try fields.words("values") ?? []
        try fields.end()
        guard let field, QueryDimension.named[field] != nil else {
            throw QueryNames.unknown("unknown-dimension", "\(pointer)/field", field ?? "")
        }
        guard let operation = word.flatMap(Operation.init) else {
            let known = Operation.allCases.map(\.rawValue)
            throw ApiProblem.field("invalid-filter", "\(pointer)/op", "is not known", known)
        }
        let isFitting =
            operation == .isNull
            ? values.isEmpty
            : (1...Limits.queryFilterValuesMaximum).contains(values.count)
                && values.allSatisfy {
                    $0.utf8.count <= Limits.queryFilterValueBytesMaximum && !$0.contains("\n")
                        && !$0.contains("\0")
                }
        guard isFitting else {
            throw ApiProblem.field(
                "invalid-filter",
                "\(pointer)/values",
                operation == .isNull
                    ? "has no place with is_null"
                    : "must hold 1 to \(Limits.queryFilterValuesMaximum) lines of text"
            )
        }
        return .leaf(field: field, operation: operation, values: values)
    }

    /// Names of the dimensions that it compares.
    var leaves: [String] {
        switch self {
        case .all(let parts), .any(let parts): return parts.flatMap(\.leaves)
        case .not(let part): return part.leaves
        case .leaf(let field, _, _): return [field]
        }
    }
}

/// What is said about names that nobody knows.
enum QueryNames {
    static func unknown(_ code: String, _ pointer: String, _ name: String) -> ApiProblem {
        let known =
            code == "unknown-metric"
            ? QueryMetric.all.map(\.name) : QueryDimension.all.map(\.name)
        let nearest = known.sorted { distance(name, $0) < distance(name, $1) }.prefix(3)
        return ApiProblem.field(code, pointer, "is not known; see /api/v1/schema", Array(nearest))
    }

    /// How many letters two names differ by (Levenshtein).
    private static func distance(_ one: String, _ other: String) -> Int {
        let (left, right) = (Array(one.utf8.prefix(64)), Array(other.utf8))
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var corner = row[0]
            row[0] = index + 1
            for column in right.indices {
                let kept = corner + (letter == right[column] ? 0 : 1)
                corner = row[column + 1]
                row[column + 1] = min(kept, row[column] + 1, corner + 1)
            }
        }
        return row[right.count]
    }
}
