import Yams

/// A mapping of a settings file. Each key that is read is ticked off; the rest are unknown keys.
///
/// Used by one reader on one thread, from `YAMLReader.read` to its end.
public final class YAMLSection {
    /// Where the section is in the file, such as `sites[0].consent`; empty at the top.
    public let path: String
    /// The line the section begins on.
    public let line: Int
    private let mapping: Node.Mapping
    private let notes: ProblemNotes
    private var seen: Set<String> = []

    init(_ mapping: Node.Mapping, path: String, line: Int, _ notes: ProblemNotes) {
        self.mapping = mapping
        self.path = path
        self.line = line
        self.notes = notes
    }

    /// Every key of the section, in the order of the file.
    public var keys: [String] { mapping.keys.map { $0.string ?? "" } }

    /// Whether the section has `key`.
    public func has(_ key: String) -> Bool { mapping[key] != nil }

    /// Notes a problem with the value of `key`, or with the section when the key is absent.
    public func problem(_ key: String, _ reason: String) {
        notes.add(line(of: key), "\(name(key)) \(reason)")
    }

    /// Notes each key that nothing has asked for.
    func finish() {
        for key in mapping.keys where !seen.contains(key.string ?? "") {
            notes.add(key.mark?.line ?? line, "unknown key \(name(key.string ?? ""))")
        }
    }

    private func line(of key: String) -> Int {
        mapping.keys.first { $0.string == key }?.mark?.line ?? line
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func node(_ key: String) -> Node? {
        seen.insert(key)
        return mapping[key]
    }

    // MARK: - Single values

    /// A whole number in `range`; `fallback` when absent, and without one the key is required.
    public func integer(
        _ key: String,
        in range: ClosedRange<Int>,
        default fallback: Int? = nil
    ) -> Int {
        guard let scalar = scalar(key, required: fallback == nil) else {
            return fallback ?? range.lowerBound
        }
        guard scalar.style == .plain, let value = Int(scalar.string) else {
            return refuse(key, "must be a whole number", range.lowerBound)
        }
        guard range.contains(value) else {
            return refuse(
                key,
                "is \(value), must be \(range.lowerBound) to \(range.upperBound)",
                range.lowerBound
            )
        }
        return value
    }

    /// A number in `range`; `fallback` when absent, and without one the key is required.
    public func number(
        _ key: String,
        in range: ClosedRange<Double>,
        default fallback: Double? = nil
    ) -> Double {
        guard let scalar = scalar(key, required: fallback == nil) else {
            return fallback ?? range.lowerBound
        }
        return number(scalar, key, range)
    }

    private func number(
        _ scalar: Node.Scalar,
        _ key: String,
        _ range: ClosedRange<Double>
    ) -> Double {
        guard scalar.style == .plain, let value = Double(scalar.string), value.isFinite else {
            return refuse(key, "must be a number", range.lowerBound)
        }
        guard range.contains(value) else {
            return refuse(
                key,
                "is \(value), must be \(range.lowerBound) to \(range.upperBound)",
                range.lowerBound
            )
        }
        return value
    }

    /// `true` or `false`; `fallback` when absent, and without one the key is required.
    public func boolean(_ key: String, default fallback: Bool? = nil) -> Bool {
        guard let scalar = scalar(key, required: fallback == nil) else { return fallback ?? false }
        switch scalar.string {
        case "true" where scalar.style == .plain: return true
        case "false" where scalar.style == .plain: return false
        default: return refuse(key, "must be true or false", false)
        }
    }

    /// Text of at most `maximum` bytes; without a `fallback` the key is required.
    public func text(
        _ key: String,
        bytesMaximum maximum: Int = 1024,
        default fallback: String? = nil
    ) -> String {
        guard let scalar = scalar(key, required: fallback == nil) else { return fallback ?? "" }
        guard scalar.string.utf8.count <= maximum else {
            return refuse(key, "is longer than \(maximum) bytes", "")
        }
        return scalar.string
    }

    /// One of a closed list of words; `fallback` when absent.
    public func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String,
        _ type: Choice.Type,
        default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let scalar = scalar(key, required: false) else { return fallback }
        guard let value = Choice(rawValue: scalar.string) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            return refuse(key, "is \(scalar.string), must be one of \(words)", fallback)
        }
        return value
    }

    private func scalar(_ key: String, required: Bool) -> Node.Scalar? {
        guard let node = node(key) else {
            if required { problem(key, "is missing") }
            return nil
        }
        guard case .scalar(let scalar) = node else {
            return refuse(key, "must be a single value", nil)
        }
        return scalar
    }

    private func refuse<Value>(_ key: String, _ reason: String, _ harmless: Value) -> Value {
        problem(key, reason)
        return harmless
    }

    // MARK: - Lists and sections

    /// A list of texts; empty when absent. Each is at most `maximum` bytes.
    public func texts(_ key: String, bytesMaximum maximum: Int = 1024) -> [String] {
        list(key).compactMap { node in
            guard case .scalar(let scalar) = node, scalar.string.utf8.count <= maximum else {
                notes.add(
                    node.mark?.line ?? line(of: key),
                    "\(name(key)) must hold texts of at most \(maximum) bytes"
                )
                return nil
            }
            return scalar.string
        }
    }

    /// A list of exactly `count` numbers in `range`.
    public func numbers(
        _ key: String,
        count: Int,
        in range: ClosedRange<Double>
    ) -> [Double] {
        guard has(key) else {
            return refuse(key, "is missing", Array(repeating: range.lowerBound, count: count))
        }
        let values = list(key).map { node in
            guard case .scalar(let scalar) = node else {
                return refuse(key, "must hold numbers", range.lowerBound)
            }
            return number(scalar, key, range)
        }
        guard values.count == count else {
            return refuse(
                key,
                "holds \(values.count) values, must hold \(count)",
                Array(repeating: range.lowerBound, count: count)
            )
        }
        return values
    }

    private func list(_ key: String) -> [Node] {
        guard let node = node(key) else { return [] }
        guard case .sequence(let sequence) = node else { return refuse(key, "must be a list", []) }
        return Array(sequence)
    }

    /// Hands the section under `key` to `body`. An absent one is read as empty, so that required
    /// keys in it are missed by name.
    public func section<Value>(_ key: String, _ body: (YAMLSection) -> Value) -> Value {
        var inner = Node.Mapping([])
        if let node = node(key) {
            switch node {
            case .mapping(let mapping): inner = mapping
            case .scalar(let scalar) where scalar.string.isEmpty: break
            default: problem(key, "must be a section of keys")
            }
        }
        return read(inner, path: name(key), line: line(of: key), body)
    }

    /// Hands each section of the list under `key` to `body`; none when absent.
    public func sections<Value>(_ key: String, _ body: (YAMLSection) -> Value) -> [Value] {
        list(key).enumerated().compactMap { index, node in
            let line = node.mark?.line ?? line(of: key)
            guard case .mapping(let mapping) = node else {
                notes.add(line, "\(name(key))[\(index)] must be a section of keys")
                return nil
            }
            return read(mapping, path: "\(name(key))[\(index)]", line: line, body)
        }
    }

    private func read<Value>(
        _ mapping: Node.Mapping,
        path: String,
        line: Int,
        _ body: (YAMLSection) -> Value
    ) -> Value {
        let section = YAMLSection(mapping, path: path, line: line, notes)
        let value = body(section)
        section.finish()
        return value
    }
}
