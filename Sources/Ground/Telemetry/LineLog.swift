import Glibc
public import Logging
public import Units

/// How log lines look.
public enum LogFormat: String, CaseIterable, Sendable {
    case text, json
}

/// A log sink where one event is one line, whatever the event holds: nothing that comes from
/// outside can forge a second line or a colour. Lines go out with one `write` each.
public struct LineLog: LogHandler {
    /// Where lines go.
    public enum Sink: Sendable {
        /// Standard error.
        case standardError
        /// A function, for tests.
        case function(@Sendable (String) -> Void)
    }

    /// A line is cut here, so that one event cannot fill the disk.
    public static let lineBytesMaximum = 8 * 1024

    /// Adds fields from the task it runs in, if set.
    public var metadataProvider: Logger.MetadataProvider?
    /// Fields of every line.
    public var metadata: Logger.Metadata = [:]
    /// What is quieter is not written.
    public var logLevel: Logger.Level
    private let label: String
    private let format: LogFormat
    private let sink: Sink
    private let time: TimeSource

    /// A sink for the part of the program called `label`.
    public init(
        label: String,
        format: LogFormat = .text,
        level: Logger.Level = .info,
        sink: Sink = .standardError,
        time: TimeSource = .real
    ) {
        self.label = label
        self.format = format
        logLevel = level
        self.sink = sink
        self.time = time
    }

    /// A logger that writes here.
    public static func logger(
        _ label: String,
        format: LogFormat = .text,
        level: Logger.Level = .info,
        sink: Sink = .standardError,
        time: TimeSource = .real
    ) -> Logger {
        Logger(label: label) { name in
            LineLog(label: name, format: format, level: level, sink: sink, time: time)
        }
    }

    /// A field of every line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        let fields = fields(of: event)
        switch format {
        case .text: emit(textLine(event, fields))
        case .json: emit(jsonLine(event, fields))
        }
    }

    private func fields(of event: LogEvent) -> [(String, String)] {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { all["error"] = "\(error)" }
        return all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }

    private func textLine(_ event: LogEvent, _ fields: [(String, String)]) -> String {
        let level = event.level.rawValue
        let padded = level + String(repeating: " ", count: max(0, 8 - level.utf8.count))
        let name = LogText.escaped(label)
        var line = "\(timestamp) \(padded) \(name): \(LogText.escaped("\(event.message)"))"
        for (key, value) in fields { line += " \(LogText.escaped(key))=\(LogText.json(value))" }
        return cut(line)
    }

    private func jsonLine(_ event: LogEvent, _ fields: [(String, String)]) -> String {
        var line = "{\"time\":\(LogText.json(timestamp)),\"level\":\"\(event.level.rawValue)\""
        line += ",\"part\":\(LogText.json(label)),\"message\":"
        line += LogText.json("\(event.message)", bytesMaximum: Self.lineBytesMaximum / 2)
        var room = Self.lineBytesMaximum - line.utf8.count - 2
        for (key, value) in fields {
            let field = ",\(LogText.json("f_" + key)):\(LogText.json(value))"
            room -= field.utf8.count
            // A cut object would not parse, so what does not fit is left out whole.
            if room >= 0 { line += field }
        }
        return line + "}"
    }

    private var timestamp: String { RFC3339.text(epochMilliseconds: time.epochMilliseconds()) }

    private func cut(_ line: String) -> String {
        if line.utf8.count <= Self.lineBytesMaximum { return line }
        // A character cut in half becomes one of three bytes; the ellipsis takes three more.
        return String(decoding: line.utf8.prefix(Self.lineBytesMaximum - 6), as: UTF8.self) + "…"
    }

    private func emit(_ line: String) {
        switch sink {
        case .function(let take): take(line)
        case .standardError: Self.write(line + "\n")
        }
    }

    /// One `write` for the line, so that lines of two threads do not mix. A log that cannot be
    /// written has nowhere to complain, so errors end the attempt.
    private static func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let rest = unsafe UnsafeBufferPointer(rebasing: bytes[written...])
                let count = unsafe Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                if count > 0 { written += count } else if errno != EINTR { return }
            }
        }
    }
}
