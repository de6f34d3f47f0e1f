public import Bytes
public import Settings

/// Holds the properties of a custom event against its site's rule.
public enum PropertyCheck {
    /// Why an event does not keep its rule.
    public enum Fault: Error, Equatable, Sendable {
        /// A property has another type than the rule wants.
        case wrongType
        /// A property that must be there is missing.
        case missing
        /// A property is not listed, and the rule refuses others.
        case unlisted
    }

    /// Appends those members of `object` that the rule keeps, as an object; the object's grammar has
    /// been checked.
    public static func append(
        _ object: ByteView,
        rule number: Int,
        of rules: EventRuleTable,
        into buffer: inout ByteBuffer
    ) throws(Fault) {
        let rule = rules[number]
        var cursor = JSONCursor(object)
        var first = true
        var isEmpty = true
        var found: UInt64 = 0
        try? cursor.beginObject()
        buffer.append(UInt8(ascii: "{"))
        while let key = (try? cursor.nextKey(&first)) ?? nil {
            guard let kind = try? cursor.kind(), let value = try? cursor.skip() else { break }
            if let property = rules.property(key, of: number) {
                guard accepts(property.kind, kind, value) else { throw .wrongType }
                found |= property.requiredBit
            } else if rule.others != .keep {
                if rule.others == .refuse { throw .unlisted }
                continue
            }
            buffer.append(isEmpty ? "\"" : ",\"")
            isEmpty = false
            buffer.append(key)
            buffer.append("\":")
            JSONText.appendStorable(value: value, into: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
        guard found & rule.required == rule.required else { throw .missing }
    }

    private static func accepts(
        _ wanted: EventRule.Kind,
        _ kind: JSONCursor.Kind,
        _ value: ByteView
    ) -> Bool {
        switch wanted {
        case .any: return true
        case .string: return kind == .string
        case .number: return kind == .number
        case .integer: return kind == .number && JSONNumber.integer(value) != nil
        case .boolean: return kind == .boolean
        case .array: return kind == .array
        case .object: return kind == .object
        }
    }
}
