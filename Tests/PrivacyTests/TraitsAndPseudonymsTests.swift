// Goal: values that may name a person do not pass the filter, however their keys are written; what
// remains is JSON again. A pseudonym is stable, differs by site and purpose, and shows nothing.

import Bytes
import Foundation
import TestSupport
import Testing

@testable import Privacy

@Suite struct TraitFilterTests {
    private func filtered(
        _ object: String,
        _ subject: TraitFilter.Subject = .person
    ) -> (text: String, withheld: Int) {
        var filter = TraitFilter()
        var output = ByteBuffer(capacity: 256, limit: 4096)
        output.append("{")
        withView(object) { _ = filter.appendMembers(of: $0, subject, into: &output) }
        output.append("}")
        return (output.view.text, filter.withheld)
    }

    @Test(arguments: [
        "email", "E-Mail", "user_email", "phone", "phoneNumber", "first_name", "LastName",
        "$birthday", "dateOfBirth", "address", "credit_card", "em\\u0061il", "name", "password",
    ])
    func tellingNamesAreLeftOut(_ key: String) {
        let (text, withheld) = filtered(#"{"\#(key)":"Anna","plan":"pro"}"#)
        #expect(text == #"{"plan":"pro"}"#)
        #expect(withheld == 1)
    }

    @Test func valuesWithAnAtAreLeftOutWhereverTheyStand() {
        let (text, withheld) = filtered(
            #"{"a":"x@y.z","b":"x\u0040y","c":["ok","q@r",[{"d":"s@t"}]],"e":{"f":"u@v","g":1}}"#
        )
        #expect(text == #"{"c":["ok",null,[{}]],"e":{"g":1}}"#)
        #expect(withheld == 5)
        #expect(filtered(#"{"x@y.z":true,"p\u0040q":1,"r":2}"#).text == #"{"r":2}"#)
    }

    @Test func aProductKeepsItsName() {
        #expect(filtered(#"{"name":"Shoe","email":"x"}"#, .event).text == #"{"name":"Shoe"}"#)
    }

    @Test func whatRemainsIsTheSameJSON() throws {
        let object = #"{"a":[],"b":[1,2.5e3,{"c":[[],{}]}],"d":null,"e":true,"f":"é\"\\n","g":{}}"#
        let text = filtered(object).text
        let before = try JSONSerialization.jsonObject(with: Data(object.utf8)) as? NSDictionary
        let after = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
        #expect(before == after)
    }
}

@Suite struct PseudonymTests {
    private func user(_ id: String, site: String, secret: UInt8 = 7) -> String {
        var names = Pseudonymizer(secret: Array(repeating: secret, count: 32))
        var output = ByteBuffer(capacity: 128)
        withView(id) { id in
            withView(site) { names.append(user: id, site: $0, into: &output) }
        }
        return output.view.text
    }

    /// Computed by Python's `hmac` module over purpose, length of the site, site, and id.
    @Test func isHMACOfTheIDUnderTheSecret() {
        let expected = "h:562c69e99061fda37d1e0c4880166678c78fb1cdc16db2126d72fb0f997f2ef5"
        #expect(user("a@b.c", site: "demo") == expected)
    }

    @Test func siteSecretAndPurposeAllCount() {
        let names = [
            user("a@b.c", site: "demo"), user("a@b.c", site: "shop"),
            user("a@b.c", site: "demo", secret: 8), user("oa@b.c", site: "dem"),
        ]
        #expect(Set(names).count == names.count)
        var pseudonyms = Pseudonymizer(secret: Array(repeating: 7, count: 32))
        var visitor = ByteBuffer(capacity: 64)
        withView("a@b.c") { pseudonyms.append(visitor: $0, site: ByteView("demo"), into: &visitor) }
        #expect(visitor.count == Pseudonymizer.visitorLetters)
        #expect(!names[0].contains(visitor.view.text))
    }
}
