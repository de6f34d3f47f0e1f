import Admission
import Bytes
import Records
import TestSupport
import Testing

/// Near a limit what would be missed least goes first, and a conversion only with the last of the disk.
struct SheddingOrderTests {
    private func importance(_ kind: EventKind, _ name: String = "") -> Importance {
        withView(name) { Importance(kind, name: $0) }
    }

    @Test func everyKindHasItsPlace() {
        #expect(importance(.pageSummary) == .summaries)
        for kind in [EventKind.pageView, .click, .form, .navigation] {
            #expect(importance(kind) == .ordinary)
        }
        for kind in [EventKind.identify, .consent] { #expect(importance(kind) == .precious) }
        #expect(importance(.custom, "scrolled") == .ordinary)
        for name in ["purchase", "Order Completed", "LEAD", "add_to_cart"] {
            #expect(importance(.custom, name) == .precious, "\(name)")
        }
    }

    @Test func aSliceMattersAsMuchAsItsMostImportantEvent() {
        let cases: [([(EventKind, String)], Importance)] = [
            ([(.pageSummary, "")], .summaries), ([(.pageSummary, ""), (.click, "")], .ordinary),
            ([(.custom, "purchase"), (.pageSummary, "")], .precious),
        ]
        for (events, importance) in cases {
            var writer = SliceWriter(limit: 4096)
            writer.begin(SliceWriter.Head())
            for (kind, name) in events {
                withView(Array(name.utf8)) { name in
                    writer.beginEvent(
                        number: 1,
                        occurredAt: 1,
                        kind: kind,
                        flags: [],
                        page: 1,
                        name: name
                    )
                }
                writer.buffer.append("{}")
                writer.endEvent()
            }
            let isWhole = writer.finish(eventCount: events.count)
            let found = Slice(writer.buffer.view).map { Importance($0) }
            #expect(isWhole && found == importance)
        }
    }

    @Test(arguments: [
        (0, Pressure.none), (84, .none), (85, .high), (94, .high), (95, .severe), (100, .severe),
    ])
    func thePressureFollowsWhatIsUsed(percent: Int, pressure: Pressure) {
        #expect(Pressure(used: percent * 1_000, of: 100_000) == pressure)
        #expect(Pressure(used: percent, of: 0) == .none)
    }

    @Test func warmVisitorsKeepTheirSummariesLonger() {
        let warm = WarmVisitors()
        withView("a-visitor-somewhere") { warm.note(visitor: $0) }
        func sheds(_ pressure: Pressure, _ importance: Importance, _ visitor: String) -> Bool {
            withView(visitor) { view in
                pressure.sheds(importance) { warm.contains(visitor: view) }
            }
        }
        #expect(!sheds(.high, .summaries, "a-visitor-somewhere"))
        #expect(sheds(.high, .summaries, "another-visitor"))
        #expect(!sheds(.high, .ordinary, "another-visitor"))
        #expect(sheds(.severe, .summaries, "a-visitor-somewhere"))
        #expect(sheds(.severe, .ordinary, "a-visitor-somewhere"))
        #expect(!sheds(.severe, .precious, "another-visitor"))
        for importance in [Importance.summaries, .ordinary, .precious] {
            #expect(!sheds(.none, importance, "another-visitor"))
        }
    }
}
