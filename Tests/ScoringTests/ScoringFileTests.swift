// Goal: whatever is wrong with scoring.yaml is told with file, line and reason, all at once.
// Method: the product's file with one or more lines spoilt.

import Scoring
import Settings
import Testing

struct ScoringFileTests {
    private func problems(_ old: String, _ new: String) -> [SettingsProblem] {
        #expect(Scenes.fileText.contains(old))
        let text = Scenes.fileText.replacing(old, with: new, maxReplacements: 1)
        do {
            _ = try ScoringFile.parse(text, file: "scoring.yaml")
            return []
        } catch {
            return error.problems
        }
    }

    private func line(of text: String) -> Int {
        let before = Scenes.fileText.split(separator: text, omittingEmptySubsequences: false)[0]
        return before.split(separator: "\n", omittingEmptySubsequences: false).count
    }

    @Test(arguments: [
        ("intercept: -2.8", "intercept: low", "intercept must be a number"),
        ("intercept: -2.8", "intercept: 900", "intercept is 900.0, must be -20.0 to 20.0"),
        ("warm: 30", "warm: 90", "bands.hot must not be below warm"),
        ("step: 5 }", "step: 5, stop: 1 }", "unknown key history.stop"),
        ("half_life: 14d", "half_life: 5m", "signals.return_cadence.half_life is 5m"),
        ("half_life: 14d", "half_life: ever", "signals.return_cadence.half_life is ever"),
        (
            "sat: 90, weight", "weight",
            "signals.viewport_engagement.sat or hill or lin must be given"
        ),
        ("sat: 90, weight", "sat: 90, lin: [0, 1], weight", "and only one of them"),
        ("lin: [0.10, 0.70]", "lin: [0.70, 0.10]", "signals.attention_focus.lin must rise"),
        ("evidence: 20, hill", "hill", "signals.scroll_velocity.evidence is missing"),
        (
            "sat: 3, weight: 0.70", "evidence: 2, sat: 3, weight: 0.70",
            "unknown key signals.cta_hover.evidence"
        ),
        ("weight: 1.90", "weight: \"1.90\"", "signals.intent_proximity.weight must be a number"),
        (
            "category: specs }", "category: spex }",
            "category is spex, which profiles.categories does not have"
        ),
        ("start_trial", "add_to_cart", "events.conversions has add_to_cart, which is a stage too"),
        ("  other: { role", "  otter: { role", "forms.other is missing"),
        ("[0.30, 1.20,", "[1.20,", "profiles.signals.scroll_velocity holds 7 values, must hold 8"),
        ("temperature: 0.8", "temperature: 0", "profiles.temperature is 0.0"),
        ("version: 1", "version: 2", "version is 2, must be 1 to 1"),
    ])
    func oneProblem(old: String, new: String, reason: String) throws {
        let found = problems(old, new)
        let problem = try #require(found.first { $0.reason.contains(reason) }, "\(found)")
        #expect(problem.file == "scoring.yaml")
        let sections = ["start_trial": "conversions:", "  other: { role": "forms:"]
        #expect(problem.line == line(of: sections[old] ?? old))
    }

    @Test func everyProblemIsToldAtOnce() {
        let text = Scenes.fileText
            .replacing("warm: 30", with: "warm: x", maxReplacements: 1)
            .replacing("temperature: 0.8", with: "temperature: x\n  colour: 1", maxReplacements: 1)
            .replacing("  faq: { stage: 0,", with: "  faq: {", maxReplacements: 1)
        do {
            _ = try ScoringFile.parse(text, file: "scoring.yaml")
            Issue.record("must not parse")
        } catch {
            let reasons = error.problems.map(\.reason)
            #expect(reasons.contains { $0 == "bands.warm must be a number" })
            #expect(reasons.contains { $0 == "unknown key profiles.colour" })
            #expect(error.problems.map(\.line) == error.problems.map(\.line).sorted())
            #expect(error.problems.count >= 3)
            #expect(error.description.contains("scoring.yaml:"))
        }
    }

    @Test func aMissingSignalIsMissedByName() {
        let line = Scenes.fileText.split(separator: "\n").first { $0.contains("tab_switching: {") }
        let found = problems(String(line ?? ""), "")
        #expect(found.contains { $0.reason == "signals.tab_switching.half_life is missing" })
    }

    @Test func notYAMLNamesItsLine() {
        let found = problems("bands: {", "bands: {{{")
        #expect(found.count == 1)
        #expect((found.first?.line ?? 0) > 1)
        #expect(found.first?.reason.contains("not valid YAML") == true)
    }

    @Test func modelNamesTheContentAndNotItsSpelling() throws {
        let same = Scenes.fileText.replacing("intercept: -2.8", with: "intercept: -2.80 # why")
        let other = Scenes.fileText.replacing("intercept: -2.8", with: "intercept: -2.9")
        let base = Scenes.model
        let equal = ScoringModel(try ScoringFile.parse(same, file: "a"))
        let changed = ScoringModel(try ScoringFile.parse(other, file: "a"))
        #expect(base.name.count == 12)
        #expect(equal.name == base.name)
        #expect(changed.name != base.name)
        #expect(changed.foldRules == base.foldRules)
        let halved = Scenes.fileText.replacing("half_life: 14d", with: "half_life: 7d")
        #expect(ScoringModel(try ScoringFile.parse(halved, file: "a")).foldRules != base.foldRules)
    }
}
