import Bytes
import Enrichment
import Foundation
import TestSupport
import Testing
import Units

/// What enrichment adds to a context, from memory as from scratch.
@Suite struct EnricherTests {
    private func enricher() -> Enricher { Enricher(words: Samples.words, key: .random()) }

    @Test func anEmptyContextBecomesOneObject() {
        var enricher = enricher()
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        _ = withView(Samples.iPhone) { view in
            var facts = Samples.request(view)
            facts.isSecure = false
            return enricher.enrich(facts, into: &context)
        }
        #expect(
            context.view.text
                == #"{"cl":"human","dv":"phone","os":"iOS","ov":"17.5","br":"Safari","bv":17,"#
                + #""lg":"de-DE"}"#
        )
    }

    @Test(arguments: [#"{}"#, #"{"l":"de","vw":1200}"#])
    func membersJoinThoseThatAreThere(_ before: String) throws {
        var enricher = enricher()
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        context.append(text: before)
        withView("curl/8.5.0") { _ = enricher.enrich(Samples.request($0), into: &context) }
        let object = try #require(Samples.object(context.view.text))
        #expect(object["cl"] as? String == "library")
        #expect(object["fa"] as? String == "curl")
        #expect(object["bs"] as? Int == 90)
        #expect(object["bq"] as? Int == 4)
        if before.count > 2 { #expect(object["vw"] as? Int == 1200) }
    }

    @Test func aContextWithoutRoomStaysAsItIs() {
        var enricher = enricher()
        var context = ByteBuffer(capacity: 64, limit: 64)
        context.append("{\"l\":\"de\"}")
        withView(Samples.chrome) { _ = enricher.enrich(Samples.request($0), into: &context) }
        #expect(context.view.text == "{\"l\":\"de\"}")
        let overflowed = context.overflowed
        #expect(!overflowed)
    }

    @Test func whatIsRememberedIsWhatIsRead() {
        var enricher = enricher()
        for userAgent in [Samples.chrome, Samples.firefox, "curl/8", Samples.pixel] {
            let answers = (0..<3).map { _ in answer(&enricher, Array(userAgent.utf8)) }
            #expect(answers[0] == answers[1] && answers[1] == answers[2])
        }
    }

    /// More user agents than are remembered: the memory stays bounded and no answer is another's.
    @Test func manyUserAgentsAreToldApart() {
        var enricher = enricher()
        for round in 0..<2 {
            for index in 0..<20_000 {
                let text = answer(&enricher, Array("Tool\(index)bot/\(round)".utf8))
                if !text.contains("\"Tool\(index)bot\"") { Issue.record("\(index): \(text)") }
            }
        }
    }

    @Test func anyBytesGiveOneObject() {
        var enricher = enricher()
        var dice = Dice(seed: 3)
        for length in [0, 1, 30, 400, 8192] {
            for _ in 0..<50 {
                let noise = (0..<length).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
                #expect(Samples.object(answer(&enricher, noise)) != nil)
                let framed = Array("Mozilla/5.0 (compatible; ".utf8) + noise
                #expect(Samples.object(answer(&enricher, framed)) != nil)
            }
        }
    }

    @Test(arguments: [
        ("de-DE,de;q=0.9", "de-DE"), ("fr;q=0.8", "fr"), ("*", nil), ("", nil),
        ("\"><script>", nil), ("zh-Hant-TW", "zh-Hant-TW"),
        ("x-" + String(repeating: "y", count: 40), nil),
    ])
    func theFirstLanguageIsKept(_ header: String, _ language: String?) throws {
        var enricher = enricher()
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        withView(Samples.chrome) { agent in
            withView(header) { header in
                var facts = Samples.request(agent)
                facts.acceptLanguage = header
                _ = enricher.enrich(facts, into: &context)
            }
        }
        let object = try #require(Samples.object(context.view.text))
        #expect(object["lg"] as? String == language)
    }

    @Test func otherWordsForgetWhatTheOldOnesSaid() throws {
        var enricher = enricher()
        let agent = Array((Samples.chrome + " Frobnicator/1").utf8)
        #expect(answer(&enricher, agent).contains("\"human\""))
        enricher.words = try AgentWords.parse("bots: [frobnicator]", file: "bots.yaml")
        #expect(answer(&enricher, agent).contains("\"bot\""))
    }

    private func answer(_ enricher: inout Enricher, _ userAgent: [UInt8]) -> String {
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        withView(userAgent) { _ = enricher.enrich(Samples.request($0), into: &context) }
        return context.view.text
    }
}

/// The operator's file of words.
@Suite struct AgentWordsFileTests {
    @Test func ownWordsAddToWhatIsBuiltIn() throws {
        let words = try AgentWords.parse(
            "people: [ourbot]\nbots: ['^Intranet']\n",
            file: "bots.yaml"
        )
        func read(_ text: String) -> AgentClass { withView(text) { words.read($0).agentClass } }
        #expect(read(Samples.chrome + " OurBot/2") == .human)
        #expect(read("Intranet Explorer") == .bot)
        #expect(read("curl/8") == .library)
    }

    @Test func builtInWordsCanBeLeftOut() throws {
        let words = try AgentWords.parse("built_in: false", file: "bots.yaml")
        let agent = Samples.chrome + " MagicCrawler/1"
        #expect(withView(agent) { words.read($0).agentClass } == .human)
    }

    @Test(arguments: [
        ("bots: nothing", 1, "must be a list"), ("\nbots: ['<>']", 2, "a word is 1 to"),
        ("robots: []", 1, "unknown key"), ("bands: { suspect: 80, bot: 40 }", 1, "less than"),
        ("points:\n  driven: 500", 2, "must be 0 to 100"),
        ("bots: [" + String(repeating: "a", count: 65) + "]", 1, "at most 64"),
    ])
    func aBadFileIsNamedWithLineAndReason(_ text: String, _ line: Int, _ reason: String) {
        do {
            _ = try AgentWords.parse(text, file: "bots.yaml")
            Issue.record("accepted \(text)")
        } catch {
            #expect("\(error)".contains("bots.yaml:\(line): "), "\(error)")
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    @Test func tooManyWordsAreRefused() {
        let list = (0..<4_001).map { "w\($0)" }.joined(separator: ", ")
        #expect(throws: (any Error).self) {
            try AgentWords.parse("bots: [\(list)]", file: "bots.yaml")
        }
    }

    @Test func theFileInTheRepositoryIsFine() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let words = try AgentWords.load(path: folder.path + "/config/bots.yaml")
        #expect(words.rules == Samples.words.rules)
    }
}
