import Admission
import Bytes
import Settings
import TestSupport
import Testing

/// A site says what its custom events hold; what breaks the rule is named, the rest is kept as sent.
struct SitesHoldEventsToRulesTests {
    private static let file = """
        sites:
          - name: shop
            keys: [k]
            origins: ["*"]
            refuse_unlisted_events: true
            events:
              - name: order
                properties: {total: number, currency: string, lines: array, note: any, count: integer}
                required: [total, currency]
              - name: strict
                properties: {a: boolean, b: object}
                others: refuse
              - name: lean
                properties: {a: string}
                others: drop
          - name: free
            keys: [f]
            origins: ["*"]
        """

    private let rules: EventRuleTable

    init() throws {
        rules = SiteTable(try HeliographSettings.parse(Self.file, file: "f")).rules
    }

    private func rule(_ name: String, site: Int = 0) -> Int? {
        withView(Array(name.utf8)) { name in
            if case .rule(let rule) = rules.find(event: name, site: site) { return rule }
            return nil
        }
    }

    private func kept(
        _ object: String,
        _ name: String
    ) throws -> Result<String, PropertyCheck.Fault> {
        let number = try #require(self.rule(name))
        var output = ByteBuffer(capacity: 256)
        return withView(Array(object.utf8)) { object in
            do throws(PropertyCheck.Fault) {
                try PropertyCheck.append(object, rule: number, of: rules, into: &output)
                return .success(output.view.text)
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func whatKeepsTheRuleIsKeptAsItWasSent() throws {
        let order =
            #"{"total":9.5,"currency":"EUR","lines":[1,{"x":2}],"note":null,"count":-3,"z":{}}"#
        #expect(try kept(order, "order") == .success(order))
        let strict = #"{"b":{},"a":true}"#
        #expect(try kept(#"{ "b" : {} , "a" : true }"#, "strict") == .success(strict))
        #expect(try kept("{}", "strict") == .success("{}"))
    }

    @Test(arguments: [
        #"{"total":"9","currency":"EUR"}"#, #"{"total":9,"currency":1}"#,
        #"{"total":null,"currency":"EUR"}"#, #"{"total":1,"currency":"EUR","count":1.5}"#,
        #"{"total":1,"currency":"EUR","lines":{}}"#, #"{"total":true,"currency":"EUR"}"#,
    ])
    func anotherTypeIsNamed(_ order: String) throws {
        #expect(try kept(order, "order") == .failure(.wrongType))
    }

    @Test(arguments: [#"{}"#, #"{"total":1}"#, #"{"currency":"EUR","other":1}"#])
    func whatMustBeThereIsMissed(_ order: String) throws {
        #expect(try kept(order, "order") == .failure(.missing))
    }

    @Test func othersAreKeptDroppedOrRefusedAsTheRuleSays() throws {
        #expect(try kept(#"{"x":1,"a":"s","y":[2]}"#, "lean") == .success(#"{"a":"s"}"#))
        #expect(try kept(#"{"a":true,"x":1}"#, "strict") == .failure(.unlisted))
    }

    @Test func aRuleIsOneSitesAndUnlistedEventsAreItsOwnAffair() {
        #expect(rule("order", site: 1) == nil)
        withView(Array("anything".utf8)) { name in
            guard case .unlisted = rules.find(event: name, site: 0),
                case .free = rules.find(event: name, site: 1)
            else {
                Issue.record("an unlisted event was judged by another site's rules")
                return
            }
        }
    }

    @Test(arguments: [
        ("properties: {total: money}", "must be one of"),
        ("required: [total]", "not among the properties"),
        ("others: maybe", "others"),
    ])
    func aMistakeInARuleIsNamed(_ line: String, _ reason: String) {
        let text = """
            sites:
              - name: shop
                keys: [k]
                origins: ["*"]
                events:
                  - name: order
                    \(line)
            """
        #expect {
            _ = try HeliographSettings.parse(text, file: "f")
        } throws: { error in
            "\(error)".contains(reason) && "\(error)".contains("f:7")
        }
    }
}
