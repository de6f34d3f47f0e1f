import Foundation
import Glibc
import Units

/// How far a long command is, on standard error: a bar that is drawn over itself on a terminal, a line
/// every few seconds anywhere else, nothing when the result is to be read by a program.
struct ProgressBar {
    private static let width = 30

    private let isTerminal: Bool
    private let isSilent: Bool
    private let begun = Pause.monotonicMilliseconds()
    private var drawnAt: Int64 = 0
    private var title = ""
    private var unit = ""
    private var total = 0
    private var startedAt: Int64 = 0
    private var isOpen = false

    init(isSilent: Bool) {
        self.isSilent = isSilent
        isTerminal = isatty(STDERR_FILENO) == 1
    }

    /// Begins a piece of work. A total of 0 means that it is not known.
    mutating func begin(_ title: String, unit: String, total: Int = 0) {
        end()
        (self.title, self.unit, self.total) = (title, unit, total)
        startedAt = Pause.monotonicMilliseconds()
        drawnAt = startedAt
        isOpen = true
    }

    /// Says how much is done; draws rarely, so it may be called often.
    mutating func update(_ done: Int) {
        let now = Pause.monotonicMilliseconds()
        guard isOpen, !isSilent, now - drawnAt >= (isTerminal ? 100 : 3_000) else { return }
        drawnAt = now
        draw(done, now)
    }

    /// Ends the piece of work with what it came to.
    mutating func end(_ done: Int? = nil) {
        defer { isOpen = false }
        guard isOpen, !isSilent, let done else { return }
        if total > 0 { total = max(done, 1) }
        draw(done, Pause.monotonicMilliseconds())
        if isTerminal { Self.write("\n") }
    }

    private func draw(_ done: Int, _ now: Int64) {
        let seconds = max(Double(now - startedAt) / 1_000, 0.001)
        var text = title + " "
        if total > 0 { text += Self.bar(min(1, Double(done) / Double(total))) }
        text += " \(Self.grouped(done)) \(unit), \(Self.grouped(Int(Double(done) / seconds)))/s"
        if total > done, done > 0 {
            let left = Int((seconds / Double(done) * Double(total - done)).rounded(.up))
            text += ", \(left) s left"
        }
        Self.write(isTerminal ? "\r\u{1b}[K" + text : text + "\n")
    }

    private static func bar(_ share: Double) -> String {
        let full = Int(share * Double(width))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        return bar + " \(Int(share * 100)) %"
    }

    /// 1234567 as `1 234 567`.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(" ", at: index) }
        return String(digits)
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
