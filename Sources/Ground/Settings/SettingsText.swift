import Glibc

/// Reading of settings files from disk.
public enum SettingsText {
    /// The text of a file of at most `Limits.settingsFileBytesMaximum` bytes.
    public static func read(_ path: String) throws(SettingsError) -> String {
        guard let file = unsafe fopen(path, "rbe") else {
            throw failure(path, "cannot be opened: \(reason(errno))")
        }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Limits.settingsFileBytesMaximum + 1)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe fread($0.baseAddress, 1, $0.count, file)
        }
        if unsafe ferror(file) != 0 { throw failure(path, "cannot be read: \(reason(errno))") }
        if count > Limits.settingsFileBytesMaximum {
            throw failure(path, "the file is larger than 1 MiB")
        }
        guard let text = String(validating: bytes[0..<count], as: UTF8.self) else {
            throw failure(path, "the file is not valid UTF-8")
        }
        return text
    }

    private static func failure(_ path: String, _ reason: String) -> SettingsError {
        SettingsError(problems: [SettingsProblem(file: path, line: 1, reason: reason)])
    }

    private static func reason(_ code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }

    /// The part of a path up to and with its last slash; empty when there is none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }
}
