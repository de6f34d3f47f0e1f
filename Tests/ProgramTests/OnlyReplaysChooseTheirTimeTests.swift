import Bytes
import Foundation
import Settings
import TestSupport
import Testing

@testable import heliograph

/// Nobody but the replay of this machine's owner says when an event was received.
@Suite struct OnlyReplaysChooseTheirTimeTests {
    private let token = String(repeating: "0123456789abcdef", count: 4)
    private let now: Int64 = 1_790_000_000_000

    private func time(_ header: String, _ gateToken: String? = nil) -> Int64? {
        let gate = ReplayGate(token: gateToken ?? token)
        let receipt = withView(header) { gate.receipt($0, now: now) }
        // Who is not let in is received now, and marks nothing.
        if !receipt.isReplay { #expect(receipt == ReplayGate.Receipt(at: now)) }
        return receipt.isReplay ? receipt.at : nil
    }

    @Test func theTokenOpens() {
        #expect(time("1789999999000 \(token)") == 1_789_999_999_000)
        #expect(time("\(now) \(token)") == now)
    }

    @Test func historySaysSoBehindTheToken() {
        let gate = ReplayGate(token: token)
        let history = withView("1789999999000 \(token) history") { gate.receipt($0, now: now) }
        #expect(
            history
                == ReplayGate.Receipt(at: 1_789_999_999_000, isReplay: true, isHistory: true)
        )
        let replay = withView("1789999999000 \(token)") { gate.receipt($0, now: now) }
        #expect(replay == ReplayGate.Receipt(at: 1_789_999_999_000, isReplay: true))
        for other in [" ", "history", "  history", " history ", " historyx", " past"] {
            #expect(time("1789999999000 \(token)\(other)") == nil)
        }
        let wrong = String(token.reversed())
        #expect(time("1789999999000 \(wrong) history") == nil)
    }

    @Test func everyOtherTokenDoesNot() {
        for index in token.indices {
            var other = token
            other.replaceSubrange(index...index, with: token[index] == "f" ? "0" : "f")
            #expect(time("1789999999000 \(other)") == nil)
        }
        for other in ["", token + "0", String(token.dropLast()), token.uppercased()] {
            #expect(time("1789999999000 \(other)") == nil)
        }
        // An engine without a token opens to nobody, also not to the one who sends none.
        #expect(time("1789999999000 ", "") == nil)
        #expect(time("1789999999000 short", "short") == nil)
    }

    @Test func momentsThatCannotBeAreIgnored() {
        let old = now - Int64(Limits.rejectedDaysMaximum + 1) * 86_400_000
        for moment in ["\(now + 1)", "\(old)", "-5", "0", "", "1e12", "99999999999999999999"] {
            #expect(time("\(moment) \(token)") == nil)
        }
        #expect(time(token) == nil)
    }

    @Test func theFileIsItsOwnersAlone() throws {
        let folder = NSTemporaryDirectory() + "heliograph-token-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try ReplayToken.make(in: folder)
        let second = try ReplayToken.make(in: folder)
        #expect(first != second && second.count == ReplayGate.tokenLength)
        #expect(ReplayToken.read(from: folder) == second)
        let attributes = try FileManager.default.attributesOfItem(
            atPath: ReplayToken.path(folder)
        )
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }
}
