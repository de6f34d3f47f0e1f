// Goal: a site's own words for its pages and sections decide their content category on that site and on
// no other; where a site says nothing the words for all do, then the rules for pages.
// Method: the product's file with a section `categories`; looked up directly, and folded for two sites.

import Bytes
import Records
import Settings
import TestSupport
import Testing

@testable import Scoring

struct SitesNameTheirContentTests {
    private static let section = """
        categories:
          paths: { /help/*: faq, /: about }
          headings: { guarantees: guarantee, prices: pricing }
          sites:
            demo:
              paths:
                { /hilfe/*: faq, /hilfe/preise/*: pricing, /hilfe/preise/alt: about, /pricing: demo }
              headings: { Garantie: guarantee, prices: comparison }

        """

    private static func parse(_ more: String) throws(SettingsError) -> ScoringFile {
        try ScoringFile.parse(Scenes.fileText + more, file: "scoring.yaml")
    }

    private func model() throws -> ScoringModel { ScoringModel(try Self.parse(Self.section)) }

    private func name(_ category: Int?, _ model: ScoringModel) -> String? {
        category.map { model.categories[$0] }
    }

    @Test(arguments: [
        ("/hilfe", "faq"), ("/hilfe/a", "faq"), ("/HILFE/a/b", "faq"), ("/hilfen", nil),
        ("/hilfe/preise", "pricing"), ("/hilfe/preise/neu", "pricing"),
        ("/hilfe/preise/alt", "about"), ("/hilfe/preise/alt/x", "pricing"), ("/pricing", "demo"),
        ("/help/x", "faq"), ("/", "about"), ("/x/hilfe/a", nil), ("/x", nil),
    ])
    func theLongestPathDecides(path: String, category: String?) throws {
        let model = try model()
        let found = withView("demo") { site in
            withView(path) { model.categoryWords.page($0, of: model.categoryWords.site(site)) }
        }
        #expect(name(found, model) == category)
    }

    @Test(arguments: [
        ("demo", "#unsere-garantie", "guarantee"), ("demo", "#GARANTIE", "guarantee"),
        ("demo", "#all-guarantees", "guarantee"), ("demo", "prices", "comparison"),
        ("demo", "pricing", "pricing"), ("demo", "#garantien", nil), ("demo", "", nil),
        ("blog", "#unsere-garantie", nil), ("blog", "#all-guarantees", "guarantee"),
        ("blog", "prices", "pricing"),
    ])
    func aWordOfTheHeadingDecides(site: String, heading: String, category: String?) throws {
        let model = try model()
        let found = withView(site) { site in
            withView(heading) { model.category(ofSection: $0, model.categoryWords.site(site)) }
        }
        #expect(name(found, model) == category)
    }

    private func state(of site: String, _ model: ScoringModel) throws -> PackedState {
        var record = TestRecord()
        record.site = site
        record.events = [
            TestEvent(.pageView, at: Scenes.noon, #"{"u":"https://x.example/hilfe/a"}"#),
            TestEvent(
                .pageSummary,
                at: Scenes.noon,
                ##"{"S":[[0,"#unsere-garantie",1,10000,100,40,0,0]]}"##
            ),
        ]
        var fold = PartitionFold(model: model)
        record.packed().withSlice { header, slice in _ = fold.apply(header, slice) }
        let index = try #require(
            withView(site) { site in withView("visitor-1") { fold.index(site: site, visitor: $0) } }
        )
        var buffer = ByteBuffer(capacity: 4096)
        fold.packState(index, into: &buffer)
        return try #require(PartitionFold.unpackState(buffer.view))
    }

    @Test func whatIsFoldedFollowsTheSite() throws {
        let model = try model()
        let guarantee = try #require(model.categories.firstIndex(of: "guarantee"))
        func dwell(_ state: PackedState) -> Double {
            state.signals.evaluate(at: state.updatedAt, model).categories[guarantee]
        }
        let (own, other) = (try state(of: "demo", model), try state(of: "blog", model))
        #expect(abs(own.sums(of: .sessionDepth).sum - 2) < 1e-9)
        #expect(abs(other.sums(of: .sessionDepth).sum - 1) < 1e-9)
        #expect(abs(dwell(own) - 10) < 1e-9 && dwell(other) == 0)
    }

    @Test func withoutTheSectionNothingChanges() throws {
        let (bare, with) = (Scenes.model, try model())
        #expect(bare.categoryWords.isEmpty && bare.name != with.name)
        #expect(bare.foldRules != with.foldRules)
        #expect(ScoringModel(try Self.parse("categories: {}\n")).name == bare.name)
    }

    @Test(arguments: [
        ("paths: { help: faq }", "categories.paths.help must be a path such as"),
        ("paths: { /help/: faq }", "categories.paths./help/ must be a path such as"),
        ("paths: { /h*p: faq }", "categories.paths./h*p must be a path such as"),
        ("paths: { /help: faqs }", "is faqs, which profiles.categories does not have"),
        ("headings: { two words: faq }", "must be one word of at most 32 letters"),
        ("headings: { a: faq, A: about }", "is given twice, but for case"),
        ("sites: { demo: { path: { /a: faq } } }", "unknown key categories.sites.demo.path"),
    ])
    func mistakesAreNamed(section: String, reason: String) {
        do {
            _ = try Self.parse("categories: { \(section) }\n")
            Issue.record("must not parse")
        } catch {
            #expect(error.problems.contains { $0.reason.contains(reason) }, "\(error.problems)")
        }
    }
}
