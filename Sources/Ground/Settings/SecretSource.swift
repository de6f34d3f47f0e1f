import Glibc
public import Telemetry

/// Where a secret is. The secret itself never stands in a settings file.
public enum SecretSource: Sendable, Equatable {
    /// The first line of a file.
    case file(String)
    /// A variable of the environment.
    case environment(String)

    /// Why there is no secret.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case unreadable(file: String)
        case empty(file: String)
        case unset(variable: String)
        case unprintable

        /// The reason in words; never the secret.
        public var description: String {
            switch self {
            case .unreadable(let file): return "\(file) cannot be read"
            case .empty(let file): return "\(file) holds no secret in its first line"
            case .unset(let variable): return "the variable \(variable) is not set"
            case .unprintable: return "the secret has characters that no header or URL may hold"
            }
        }
    }

    /// Where it is, in words.
    public var place: String {
        switch self {
        case .file(let path): return path
        case .environment(let name): return "$\(name)"
        }
    }

    /// Reads the secret.
    public func load() throws(Failure) -> Secret {
        let text = try text()
        guard text.utf8.allSatisfy({ (33...126).contains($0) }) else { throw .unprintable }
        return Secret(text)
    }

    private func text() throws(Failure) -> String {
        switch self {
        case .environment(let name):
            guard let value = unsafe getenv(name), unsafe value.pointee != 0 else {
                throw .unset(variable: name)
            }
            return unsafe String(cString: value)
        case .file(let path):
            guard let text = try? SettingsText.read(path) else { throw .unreadable(file: path) }
            let line = text.split(separator: "\n", omittingEmptySubsequences: false)[0]
            let trimmed = Self.trimmed(line)
            if trimmed.isEmpty { throw .empty(file: path) }
            return trimmed
        }
    }

    private static func trimmed(_ line: Substring) -> String {
        var line = line
        while let last = line.utf8.last, last <= 32 { line = line.dropLast() }
        while let first = line.utf8.first, first <= 32 { line = line.dropFirst() }
        return String(line)
    }
}

extension YAMLSection {
    /// `{file: …}` or `{environment: …}`; without one of them it is a problem.
    func secretSource(_ key: String, _ folder: String) -> SecretSource {
        optionalSecretSource(key, folder) ?? missingSecret(key)
    }

    /// The same, nil when the key is absent.
    func optionalSecretSource(_ key: String, _ folder: String) -> SecretSource? {
        guard has(key) else { return nil }
        return section(key) { section in
            switch (section.has("file"), section.has("environment")) {
            case (true, false):
                return .file(section.optionalPath("file", folder) ?? "")
            case (false, true):
                let name = section.text("environment", bytesMaximum: 128)
                if !Characters.isVariable(name) {
                    section.problem("environment", "must be a name such as META_TOKEN")
                }
                return .environment(name)
            default:
                return section.missingSecret("file")
            }
        }
    }

    private func missingSecret(_ key: String) -> SecretSource {
        problem(key, "must be {file: PATH} or {environment: NAME}; secrets have no place here")
        return .environment("")
    }
}
