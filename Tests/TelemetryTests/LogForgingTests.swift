// Goal: nothing that comes from outside can forge a second log line, a colour or a reading
// direction (S17). Method: hostile texts in every place of an event, each line looked at byte by byte.
import Logging
import Synchronization
import Telemetry
import Testing
import Units

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

private let hostile: [String] = [
    "a\nb", "a\r\nb", "a\rb", "\u{1b}[31mred\u{1b}[0m", "nul\0byte", "bell\u{7}", "c1\u{9b}31m",
    "next\u{85}line", "separator\u{2028}x\u{2029}", "bidi\u{202e}txt\u{2066}",
    String(decoding: [0x66, 0xff, 0xfe, 0x0a, 0x80], as: UTF8.self),
    "2026-11-21T00:00:00.000Z error heliograph: forged", "quote\" backslash\\ end",
]

@Suite struct LogForgingTests {
    private func line(_ format: LogFormat, _ text: String) -> [String] {
        let lines = Lines()
        let clock = SimulatedClock(epochMilliseconds: 1_795_234_520_123)
        let logger = LineLog.logger(
            "test",
            format: format,
            level: .trace,
            sink: .function { lines.add($0) },
            time: .simulated(clock)
        )
        logger.info("\(text)", metadata: ["field": "\(text)", "key \(text)": .array(["\(text)"])])
        return lines.all
    }

    @Test(arguments: hostile, LogFormat.allCases)
    func oneEventIsOnePrintableLine(text: String, format: LogFormat) throws {
        let lines = line(format, text)
        #expect(lines.count == 1)
        for scalar in try #require(lines.first).unicodeScalars {
            #expect(scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value))
            #expect(![0x2028, 0x2029, 0x202e, 0x2066].contains(scalar.value))
        }
    }

    @Test func timeComesFirst() throws {
        let text = try #require(line(.text, "hello").first)
        #expect(text.hasPrefix("2026-11-21T04:15:20.123Z info     test: hello"))
        let json = try #require(line(.json, "hello").first)
        #expect(json.hasPrefix(#"{"time":"2026-11-21T04:15:20.123Z","level":"info","part":"test""#))
    }

    @Test(arguments: LogFormat.allCases)
    func hugeEventsAreCut(format: LogFormat) throws {
        let text = String(repeating: "é\n", count: 200_000)
        let line = try #require(line(format, text).first)
        #expect(line.utf8.count <= LineLog.lineBytesMaximum)
    }

    @Test func quieterThanTheLevelIsNotWritten() {
        let lines = Lines()
        let logger = LineLog.logger("test", level: .warning, sink: .function { lines.add($0) })
        logger.info("quiet")
        logger.warning("loud")
        #expect(lines.all.count == 1)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func datesAreRight(epoch: Int64, text: String) {
        #expect(RFC3339.text(epochMilliseconds: epoch) == text)
    }
}
