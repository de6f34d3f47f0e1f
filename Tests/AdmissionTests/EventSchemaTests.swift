import Admission
import Bytes
import Records
import TestSupport
import Testing

/// What each event type may hold is a closed list; everything else is ignored.
@Suite struct EventSchemaTests {
    /// The members of the wire format, beside those that all events have.
    private static let members: [EventKind: [String]] = [
        .pageView: ["u", "r", "ti", "nt", "h", "wc"],
        .pageSummary: [
            "q", "vz", "sc", "S", "rd", "mo", "tp", "kb", "ck", "ct", "pt", "hm",
        ],
        .click: ["a", "g", "x", "y", "hv", "f"],
        .form: ["f", "ph", "ff", "cp", "sb"],
        .navigation: ["ty", "fr", "dw", "lp"],
        .identify: ["uid", "traits"],
        .consent: ["bits", "src"],
        .custom: ["name", "props"],
    ]

    private func rule(_ kind: EventKind, _ key: String) -> FieldRule? {
        withView(key) { EventSchema.rule(kind, $0) }
    }

    @Test(arguments: EventKind.allCases)
    func eachTypeHasItsOwnMembersAndNoOthers(_ kind: EventKind) {
        let own = Self.members[kind] ?? []
        for key in Set(Self.members.values.joined()) {
            #expect((rule(kind, key) != nil) == own.contains(key), "\(kind) \(key)")
        }
    }

    @Test(arguments: [
        "", "U", "unknownkey", "a_very_long_key_indeed", "__proto__", "\\u0000u", "uu",
    ])
    func otherKeysAreNobodys(_ key: String) {
        for kind in EventKind.allCases { #expect(rule(kind, key) == nil) }
    }

    @Test func addressesAreTreatedAsAddresses() {
        #expect(rule(.pageView, "u")?.treatment == .url)
        #expect(rule(.pageView, "r")?.treatment == .url)
        #expect(rule(.navigation, "fr")?.treatment == .path)
        #expect(rule(.pageView, "ti")?.treatment == .asIs)
    }

    @Test func aShapeTakesItsTypesAndNoOthers() {
        let kinds: [JSONCursor.Kind] = [.object, .array, .string, .number, .boolean, .null]
        func taken(_ kind: EventKind, _ key: String) -> [JSONCursor.Kind] {
            kinds.filter { rule(kind, key)?.accepts($0) == true }
        }
        #expect(taken(.pageView, "h") == [.number])
        #expect(taken(.pageView, "ti") == [.string])
        #expect(taken(.pageSummary, "sc") == [.array])
        #expect(taken(.custom, "props") == [.object])
        #expect(taken(.click, "f") == [.string, .number, .boolean])
    }

    @Test func onlyACustomEventsNameIsStoredApart() {
        for kind in EventKind.allCases {
            #expect(withView("name") { EventSchema.isName(kind, $0) } == (kind == .custom))
        }
        #expect(!withView("nam") { EventSchema.isName(.custom, $0) })
    }
}
