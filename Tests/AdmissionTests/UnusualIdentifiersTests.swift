import Admission
import TestSupport
import Testing

/// Ids are made by clients, so every kind of nonsense arrives as one.
@Suite struct UnusualIdentifiersTests {
    @Test(arguments: [
        "018fa3b2c4d5e6f7", "AZabc_-0189zZ7890abcdef", "0f8fad5b-d9cb-469f-a165-70867728950e",
        "aaaaaaaaaaaaaaab",
    ])
    func idsThatSDKsMakeAreTaken(_ id: String) {
        #expect(withView(id) { Identifiers.isClientID($0) })
    }

    @Test(arguments: [
        "", "1", "undefined", "null", "anonymous", "[object Object]", "aaaaaaaaaaaaaaa",
        "00000000-0000-0000-0000-0000000000000", "0000000000000000000000", "AAAAAAAAAAAAAAAAAAAAAA",
        "----------------", "with space in the id", "jane@example.com.au", "semi;colon;semi;colon",
        "übergrößenträger", "a\u{0}aaaaaaaaaaaaaaaaaaa", "{visitor}{visitor}", "a/../../../../etc",
        "abcdefghijklmnop\n", "abc.defghijklmnopqrst", "abc:defghijklmnopqrst",
    ])
    func whatBrokenScriptsSendIsNoClientID(_ id: String) {
        #expect(!withView(id) { Identifiers.isClientID($0) })
    }

    @Test func aClientIDHasSixteenToThirtySixCharacters() {
        let text = "abcdefghijklmnopqrstuvwxyz0123456789-"
        for length in 0...text.count {
            let taken = withView(String(text.prefix(length))) { Identifiers.isClientID($0) }
            #expect(taken == (16...36 ~= length), "a length of \(length)")
        }
    }

    @Test(arguments: ["7", "user:42", "a.b-c_d", "ffffffffffffffffffffffffffffffff"])
    func userIDsMayBeShortAndHavePoints(_ id: String) {
        #expect(withView(id) { Identifiers.isUserID($0) })
    }

    @Test(arguments: [
        "", "0", "undefined", "UNDEFINED", "Null", "NaN", "none", "Anonymous", "jane@example.com",
        "Jane Doe", "\"", "\\u0000", "é",
    ])
    func placeholdersAndAddressesAreNoUserIDs(_ id: String) {
        #expect(!withView(id) { Identifiers.isUserID($0) })
    }

    @Test func aUserIDEndsAtNinetySixBytes() {
        let text = String(repeating: "ab", count: 48)
        #expect(withView(text) { Identifiers.isUserID($0) })
        #expect(!withView(text + "c") { Identifiers.isUserID($0) })
    }
}
