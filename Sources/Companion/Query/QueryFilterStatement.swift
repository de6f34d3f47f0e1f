/// A filter as a condition over a base's row `s`.
extension QueryStatement {
    mutating func add(_ filter: QueryFilter, on base: QueryBase) {
        switch filter {
        case .all(let parts): add(parts, " AND ", on: base)
        case .any(let parts): add(parts, " OR ", on: base)
        case .not(let part):
            add("NOT coalesce(")
            add(part, on: base)
            add(", false)")
        case .leaf(let field, let operation, let values):
            addLeaf(QueryDimension.named[field]?.expressions[base] ?? "NULL", operation, values)
        }
    }

    private mutating func add(_ parts: [QueryFilter], _ word: StaticString, on base: QueryBase) {
        add("(")
        for (index, part) in parts.enumerated() {
            if index > 0 { add(word) }
            add(part, on: base)
        }
        add(")")
    }

    /// A row without a value is in no list, contains nothing and begins with nothing.
    private mutating func addLeaf(
        _ expression: StaticString,
        _ operation: QueryFilter.Operation,
        _ values: [String]
    ) {
        let isNegated = operation == .isNotIn || operation == .containsNot
        add(isNegated ? "NOT coalesce((" : "((")
        if operation == .isNull {
            add(expression)
            add(") IS NULL)")
            return
        }
        add("SELECT bool_or(")
        switch operation {
        case .isIn, .isNotIn:
            add("listed.value = (")
            add(expression)
            add(")::text")
        case .contains, .containsNot:
            add("position(listed.value IN (")
            add(expression)
            add(")::text) > 0")
        case .startsWith, .isNull:
            add("starts_with((")
            add(expression)
            add(")::text, listed.value)")
        }
        add(") FROM unnest(string_to_array(")
        add(value: values.joined(separator: "\n"))
        add(", chr(10))) AS listed (value))")
        add(isNegated ? ", false)" : ")")
    }
}
