// Modules: Units Bytes Records Settings Agents
import Bytes
@testable import Enrichment

/// Any bytes as a user agent: it is read the same twice, every place lies within it, people have no
/// reason against them and programs have one.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAgent(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let view = ByteView(UnsafeRawBufferPointer(start: size == 0 ? nil : data, count: size))
    let agent = words.read(view)
    let again = words.read(view)
    guard agent.agentClass == again.agentClass, agent.device == again.device,
        agent.family(in: view).equals(again.family(in: view))
    else { fatalError("read differently") }
    guard (agent.agentClass == .human) == (agent.reason == []) else { fatalError("no reason") }
    guard agent.agentClass == .human || agent.browserMajor == 0 else { fatalError("a browser") }
    guard (0...1_000_000).contains(agent.browserMajor) else { fatalError("a version") }
    checkVersion(agent.systemVersion(in: view))
    return 0
}

private let words: AgentWords = {
    let lists: [(AgentMeaning, [String])] = [
        (.person, ["<cubot", "slack_ssb"]), (.aiCrawler, ["gptbot", "claude"]),
        (.preview, ["facebookexternalhit", "link preview"]), (.library, ["^curl", "python/"]),
        (.bot, ["googlebot"]), (.headless, ["headless"]), (.attack, ["{{", "<<script"]),
        (.cue, ["bot>", "https://", "@"]), (.weakCue, ["scan"]), (.product, ["gecko", "safari"]),
        (.plainBrowser, ["^lynx/"]), (.aiHint, ["-user>", ".ai>"]),
    ]
    let entries = lists.flatMap { meaning, list in list.compactMap { AgentEntry($0, meaning) } }
    return AgentWords(AgentTables.entries + entries, rules: .standard)
}()

private func checkVersion(_ version: ByteView) {
    for index in 0..<version.count {
        let byte = version[index]
        guard byte &- 48 < 10 || byte == 46 || byte == 95 else { fatalError("no version") }
    }
    if version.count > 0, version[version.count - 1] &- 48 >= 10 { fatalError("ends with a dot") }
}
