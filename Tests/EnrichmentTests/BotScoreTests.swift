import Bytes
import Enrichment
import Records
import Settings
import TestSupport
import Testing
import Units

/// One additive score from several signs: what each adds, and what never counts.
@Suite struct BotScoreTests {
    private func verdict(
        _ userAgent: String = Samples.chrome,
        _ change: (inout RequestFacts) -> Void = { _ in }
    ) -> EnrichmentVerdict {
        var enricher = Enricher(words: Samples.words, key: HashKey(first: 1, second: 2))
        var context = ByteBuffer(capacity: 1024, limit: 2048)
        return withView(userAgent) { view in
            var facts = Samples.request(view)
            change(&facts)
            return enricher.enrich(facts, into: &context)
        }
    }

    @Test func anOrdinaryBrowserHasNoPoints() {
        let clean = verdict()
        #expect(clean.botScore == 0)
        #expect(clean.band == .human)
        #expect(clean.reasons == [])
        #expect(clean.deviceClass == .desktop)
    }

    @Test func eachSignAddsItsPointsAndNoneMakesABot() {
        let signs: [(BotReasons, Int, (inout RequestFacts) -> Void)] = [
            (.driven, 70, { $0.isDriven = true }),
            (.hintsContradict, 30, { $0.brands = .empty }),
            (.hintsContradict, 30, { $0.mobileHint = ByteView("?1") }),
            (.hintsContradict, 30, { $0.platformHint = ByteView("\"Linux\"") }),
            (.hintsContradict, 30, { $0.brands = ByteView("\"Chromium\";v=\"99\"") }),
            (.withoutLanguage, 10, { $0.acceptLanguage = .empty }),
            (.withoutEncoding, 10, { $0.acceptEncoding = .empty }),
            (.withoutFetchMode, 10, { $0.fetchMode = .empty }),
            (.withoutOrigin, 20, { $0.origin = .empty }),
            (.metronome, 40, { $0.behaviour = clockwork(9, every: 1000) }),
            (.prefetch, 0, { $0.isPrefetch = true }),
        ]
        for (reason, points, change) in signs {
            let judged = verdict(Samples.chrome, change)
            #expect(judged.reasons == reason)
            #expect(judged.botScore == points)
            #expect(judged.band != .bot)
            #expect(judged.agentClass == .human)
        }
    }

    @Test func missingHeadersTogetherAreBounded() {
        let judged = verdict {
            $0.acceptLanguage = .empty
            $0.acceptEncoding = .empty
            $0.fetchMode = .empty
        }
        #expect(judged.botScore == 25)
    }

    @Test func signsThatComeTogetherMakeABot() {
        let judged = verdict {
            $0.isDriven = true
            $0.origin = .empty
        }
        #expect(judged.botScore == 90)
        #expect(judged.band == .bot)
        #expect(judged.agentClass == .bot)
    }

    @Test func aBrandTellsAHeadlessBrowserThatHidesItsName() {
        let judged = verdict { $0.brands = ByteView("\"HeadlessChrome\";v=\"126\"") }
        #expect(judged.reasons.contains(.headless))
        #expect(judged.band == .bot)
    }

    /// Browsers send client hints and `Sec-Fetch-Mode` in secure contexts only, Firefox no hints.
    @Test func whatABrowserDoesNotSendIsNotMissed() {
        let overHTTP = verdict {
            $0.isSecure = false
            ($0.brands, $0.fetchMode, $0.mobileHint, $0.platformHint) =
                (.empty, .empty, .empty, .empty)
        }
        #expect(overHTTP.botScore == 0)
        let firefox = verdict(Samples.firefox) {
            ($0.brands, $0.mobileHint, $0.platformHint) = (.empty, .empty, .empty)
        }
        #expect(firefox.botScore == 0)
    }

    @Test func serversAreNotJudged() {
        let judged = verdict("python-requests/2.32") {
            $0 = RequestFacts()
            $0.userAgent = ByteView("python-requests/2.32")
            $0.isServer = true
        }
        #expect(judged.botScore == 0)
        #expect(judged.band == .human)
    }

    @Test func declaredProgramsAreBotsAtOnce() {
        #expect(verdict("curl/8.5.0").band == .bot)
        #expect(verdict("facebookexternalhit/1.1").agentClass == .preview)
        #expect(verdict("").reasons.contains(.notABrowser))
        #expect(verdict("${jndi:ldap://x}").reasons.contains(.attack))
    }

    private func clockwork(_ events: Int, every milliseconds: Int64) -> BatchBehaviour {
        var behaviour = BatchBehaviour()
        for index in 0..<events {
            behaviour.take(occurredAt: 1_700_000_000_000 + Int64(index) * milliseconds)
        }
        return behaviour
    }

    @Test func clockworkNeedsEnoughEventsAndRealGaps() {
        #expect(clockwork(9, every: 1000).isMetronome)
        #expect(!clockwork(8, every: 1000).isMetronome)
        #expect(!clockwork(20, every: 0).isMetronome)
        var human = BatchBehaviour()
        for (index, jitter) in [0, 300, -200, 450, 90, -380, 120, 40, -300, 260].enumerated() {
            human.take(occurredAt: 1_700_000_000_000 + Int64(index * 1000 + jitter))
        }
        #expect(!human.isMetronome)
    }

    @Test func pointsAndBandsAreTheOperators() throws {
        let words = try AgentWords.parse(
            "points: { driven: 90 }\nbands: { suspect: 10, bot: 60 }\n",
            file: "bots.yaml"
        )
        #expect(words.rules.score(.driven) == 90)
        #expect(words.rules.suspect == 10 && words.rules.bot == 60)
    }
}
