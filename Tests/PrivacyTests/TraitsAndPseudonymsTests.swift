// Goal: traits that describe a person do not pass, however their keys are written; what remains is JSON
// again. A pseudonym is stable, differs by site and purpose, and shows nothing.

import Bytes
import TestSupport
import Testing

@testable import Privacy

@Suite struct PersonsTraitsTests {
    private func filtered(
        _ object: String,
        _ subject: PropertySubject = .person
    ) -> (text: String, found: Int) {
        var sanitiser = Sanitiser()
        var output = ByteBuffer(capacity: 256, limit: 4096)
        var found = 0
        output.append("{")
        withView(object) { view in
            found =
                sanitiser.appendMembers(
                    of: view,
                    subject,
                    policy: SanitisePolicy(),
                    into: &output
                ).total
        }
        output.append("}")
        return (output.view.text, found)
    }

    @Test(arguments: [
        "email", "E-Mail", "user_email", "phone", "phoneNumber", "first_name", "LastName",
        "$birthday", "dateOfBirth", "address", "credit_card", "em\\u0061il", "name", "password",
        "customeremail", "apellidos", "téléphone", "電話番号",
    ])
    func tellingNamesAreLeftOut(_ key: String) {
        let (text, found) = filtered(#"{"\#(key)":"Anna","plan":"pro"}"#)
        #expect(text == #"{"plan":"pro"}"#)
        #expect(found == 1)
    }

    @Test func whatSaysNothingStays() {
        let object = #"{"email":null,"phone":true,"plan":"pro"}"#
        #expect(filtered(object).text == object)
    }

    @Test func addressesAreMaskedWhereverTheyStand() {
        let (text, found) = filtered(
            #"{"a":"x@y.zz","b":"x\u0040y.zz","c":["ok","q@r.ss",[{"d":"s@t.uu"}]],"e":{"f":"u@v.ww"}}"#
        )
        #expect(
            text == #"{"a":"[email]","b":"[email]","c":["ok","[email]",[{"d":"[email]"}]],"#
                + #""e":{"f":"[email]"}}"#
        )
        #expect(found == 5)
        #expect(filtered(#"{"x@y.zz":true,"r":2}"#).text == #"{"[redacted-1]":true,"r":2}"#)
    }

    @Test func aProductKeepsItsName() {
        let object = #"{"name":"Shoe","brand":"Hugo Boss"}"#
        #expect(filtered(object, .event).text == object)
    }

    @Test func whatRemainsIsTheSameJSON() {
        let object = #"{"a":[],"b":[1,2.5e3,{"c":[[],{}]}],"d":null,"e":true,"f":"é\"\\n","g":{}}"#
        #expect(filtered(object).text == object)
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
