import Bytes
import Enrichment
import Foundation
import TestSupport

/// User agents as browsers write them, and the words that are built in.
enum Samples {
    static let words: AgentWords = {
        do {
            return try AgentWords.builtIn()
        } catch {
            fatalError("the built-in words are refused: \(error)")
        }
    }()

    static let chrome =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/126.0.0.0 Safari/537.36"
    static let pixel =
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/126.0.0.0 Mobile Safari/537.36"
    static let iPhone =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        + "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    static let firefox =
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    static let safari =
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        + "(KHTML, like Gecko) Version/17.4 Safari/605.1.15"

    /// What one user agent is read as.
    struct Reading: Equatable {
        var agentClass: String
        var family: String
        var device: String
        var system: String
        var version: String
        var browser: String
        var major: Int
    }

    static func read(_ userAgent: String) -> Reading { read(Array(userAgent.utf8)) }

    static func read(_ userAgent: [UInt8]) -> Reading {
        withView(userAgent) { view in
            let agent = words.read(view)
            return Reading(
                agentClass: "\(agent.agentClass.name)",
                family: agent.family(in: view).text,
                device: "\(agent.device.name)",
                system: "\(agent.system)",
                version: written { agent.appendSystemVersion(view, into: &$0) },
                browser: "\(agent.browser)",
                major: agent.browserMajor
            )
        }
    }

    /// A request such as a browser makes, with `userAgent`.
    static func request(_ userAgent: ByteView) -> RequestFacts {
        var facts = RequestFacts()
        facts.userAgent = userAgent
        facts.acceptLanguage = ByteView("de-DE,de;q=0.9,en;q=0.8")
        facts.acceptEncoding = ByteView("gzip, deflate, br")
        facts.origin = ByteView("https://shop.example")
        facts.fetchMode = ByteView("cors")
        facts.isSecure = true
        facts.brands = ByteView("\"Chromium\";v=\"126\", \"Not.A/Brand\";v=\"24\"")
        facts.mobileHint = ByteView("?0")
        facts.platformHint = ByteView("\"Windows\"")
        return facts
    }

    /// Whether `text` is one JSON object, and its members.
    static func object(_ text: String) -> [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }
}
