import Bytes
import CShims
import Foundation
import Glibc
import Settings

/// Lets `heliograph replay` say when a refused event came first, and `heliograph demo seed` when its
/// history was; and nobody else.
///
/// The header is `X-Heliograph-Received-At: <epoch milliseconds> <token>`, with ` history` behind it
/// for events that no destination is ever told of. The token is made anew by each start of the engine
/// and lies in `replay-token` in the data folder, readable by its owner.
struct ReplayGate: Sendable {
    /// Characters of a token: 256 random bits as hexadecimal digits.
    static let tokenLength = 64
    /// What follows the token of a request that brings history.
    static let historyMark: StaticString = " history"
    /// How long ago an event may have come: as long as rejected events may be kept, and a day.
    private static let ageMillisecondsMaximum =
        Int64(Limits.rejectedDaysMaximum + 1) * 86_400_000

    private let token: [UInt8]

    /// A gate that opens to `token`; to nobody when it is no token.
    init(token: String) {
        let bytes = Array(token.utf8)
        self.token = bytes.count == Self.tokenLength ? bytes : []
    }

    /// When a request counts as received.
    struct Receipt: Equatable {
        var at: Int64
        /// Of what was sent before, or of a past that is brought in.
        var isReplay = false
        /// Of a past that is brought in.
        var isHistory = false
    }

    /// When the events of a request came first, epoch milliseconds: `now`, if `header` is absent, wrong,
    /// or names a moment that cannot be.
    func receipt(_ header: ByteView, now: Int64) -> Receipt {
        guard !header.isEmpty, let space = header.firstIndex(of: UInt8(ascii: " ")),
            header.count >= space + 1 + Self.tokenLength
        else { return Receipt(at: now) }
        let end = space + 1 + Self.tokenLength
        let mark = header[end..<header.count]
        guard isToken(header[space + 1..<end]), let moment = header[0..<space].decimal,
            mark.isEmpty || mark.equals(Self.historyMark),
            Int64(moment) <= now, Int64(moment) > now - Self.ageMillisecondsMaximum
        else { return Receipt(at: now) }
        return Receipt(at: Int64(moment), isReplay: true, isHistory: !mark.isEmpty)
    }

    /// Takes the same time wherever the first difference lies.
    private func isToken(_ text: ByteView) -> Bool {
        guard text.count == token.count, !token.isEmpty else { return false }
        var difference: UInt8 = 0
        for index in 0..<token.count { difference |= text[index] ^ token[index] }
        return difference == 0
    }
}

/// The file that the token of a running engine lies in.
enum ReplayToken {
    static func path(_ directory: String) -> String { directory + "/replay-token" }

    /// Makes a new token and writes it, for its owner to read only.
    static func make(in directory: String) throws(StartError) -> String {
        var random = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in String(random.next(), radix: 16) }
        let token = words.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
        // Another's file of this name, or a link, is not written to.
        unlink(path(directory))
        let file = hg_open(path(directory), O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw StartError("cannot write \(path(directory))") }
        defer { close(file) }
        guard write(file, token, ReplayGate.tokenLength) == ReplayGate.tokenLength else {
            throw StartError("cannot write \(path(directory))")
        }
        return token
    }

    /// The token of the engine that runs on this folder.
    static func read(from directory: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path(directory)) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    static func remove(from directory: String) { unlink(path(directory)) }
}
