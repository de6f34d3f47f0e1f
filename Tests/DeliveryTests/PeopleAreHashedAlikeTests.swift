// Goal: a person written in any usual way gives one hash, and what is no such thing gives none. Method:
// tables of what the shared vectors lack; texts are compared by their bytes, not by equivalence.
import Bytes
import Delivery
import Testing

private let now: Int64 = 1_762_950_000_000
private let context = MetaField.Context(nowMilliseconds: now)

private func same(_ found: String?, _ wanted: String?) -> Bool {
    found.map { Array($0.utf8) } == wanted.map { Array($0.utf8) }
}

@Suite struct PeopleAreHashedAlikeTests {
    @Test(
        arguments: [
            (MetaField.fn, "\u{393}\u{399}\u{38f}\u{3a1}\u{393}\u{39f}\u{3a3}", "γιώργος"),
            (.fn, "\u{3a3}", "\u{3c3}"), (.ln, "ΟΔΥΣΣΕΎΣ-ΣΟΦΊΑ", "οδυσσεύςσοφία"),
            (.fn, "Vale\u{301}ry", "val\u{e9}ry"), (.fn, "हिन्दी", "हिन्दी"), (.fn, "12", nil),
            (.fn, "", nil), (.ln, "D\u{2019}Arc\u{a0}", "darc"), (.fn, "ǅ", "ǆ"),
            (.ct, "SÃO PAULO", "sãopaulo"), (.ct, "Sa\u{303}o Paulo", "sãopaulo"),
            (.ct, "東京", "東京"),
            (.em, "\u{a0}Buyer+x@Example.COM\n", "buyer+x@example.com"), (.em, "a@b", nil),
            (.em, "a@b@c.d", nil), (.em, "@b.c", nil), (.em, "a@.c", nil), (.em, "a@b.", nil),
            (.em, "ü@münchen.de", "ü@münchen.de"),
            (.ge, "Female", "f"), (.ge, " MALE ", "m"), (.ge, "x", nil), (.ge, "femal", nil),
            (.db, "1997-02-16", "19970216"), (.db, "1997-02-16T10:00:00Z", "19970216"),
            (.db, "29.2.2000", "20000229"), (.db, "29.2.1900", nil), (.db, "2/30/1997", nil),
            (.db, "1899-12-31", nil), (.db, "2025-11-12", "20251112"), (.db, "2025-11-13", nil),
            (.db, "16/2/97", nil), (.db, "٢٠٠٠-٠١-٠٢", "20000102"), (.db, "1997-2-16-1", nil),
            (.st, "ca", "ca"), (.st, "Québec", "qc"), (.st, "US-NY", "ny"), (.st, "D.C.", "dc"),
            (.st, "New South Wales", "newsouthwales"), (.st, "WEST  VIRGINIA", "wv"),
            (.zp, "01310-100", "01310100"), (.zp, "94035 1234", "94035"), (.zp, "1010", "1010"),
            (.zp, "-", nil), (.zp, "SW1A\u{a0}2AA", "sw1a2aa"),
            (.country, "USA", "us"), (.country, "u.s.a.", "us"), (.country, "Deutschland", "de"),
            (.country, "CÔTE D’IVOIRE", "ci"), (.country, "The Netherlands", "nl"),
            (.country, "Saint Lucia", "lc"), (.country, "St. Lucia", "lc"), (.country, "日本", "jp"),
            (.country, "Trinidad & Tobago", "tt"), (.country, "Türkiye", "tr"),
            (.country, "EU", nil),
            (.country, "Utopia", nil), (.country, "gbr", "gb"), (.country, "", nil),
            (.externalID, "\tUser 42\n", "user42"), (.externalID, "  ", nil),
        ] as [(MetaField, String, String?)]
    )
    func metaMatchesByThisText(field: MetaField, input: String, wanted: String?) {
        let found = field.normalized(input, context)
        #expect(same(found, wanted), "\(found ?? "nothing")")
        #expect(field.hashed(input, context) == wanted.map { Digest.sha256($0) })
    }

    @Test(
        arguments: [
            ("020 7946 0958", nil, nil), ("12345", nil, nil), ("(650)555-1212", nil, nil),
            ("020 7946 0958", "44", "442079460958"), ("(650) 555-1212", "1", "16505551212"),
            ("011 44 20 7946 0958", "1", "442079460958"), ("06 1234 5678", "39", "390612345678"),
            ("8 (912) 345-67-89", "7", "79123456789"), ("06 30 123 4567", "36", "36301234567"),
            ("4930901820123", "49", "4930901820123"), ("030 901820", "49", "4930901820"),
            ("+49 ( 0 ) 30 901820", nil, "4930901820"), ("tel:+1-650-555-1212", nil, "16505551212"),
            ("\u{ff0b}１６５０５５５１２１２", nil, "16505551212"), ("+1 650 555 1212 x5", nil, "16505551212"),
            ("+1 650 555 1212#5", nil, "16505551212"), ("fax +1 650 555 1212", nil, "16505551212"),
            ("+0000000000", nil, nil), ("+", nil, nil), ("", "49", nil), ("11055551212", nil, nil),
            ("+1234567890123456", nil, nil), ("+123456", nil, nil),
            ("++44 20 7946 0958", nil, "442079460958"),
        ] as [(String, String?, String?)]
    )
    func aNumberIsInternationalOrNothing(input: String, code: String?, wanted: String?) {
        let context = MetaField.Context(callingCode: code, nowMilliseconds: now)
        #expect(MetaField.ph.normalized(input, context) == wanted)
        let google = GoogleField.phone.normalized(input, callingCode: code)
        #expect(google == wanted.map { "+" + $0 })
    }

    @Test(
        arguments: [
            (GoogleField.email, " First. Last @GoogleMail.com", "firstlast@googlemail.com"),
            (.email, "first.last+x@gmail.com", "firstlast+x@gmail.com"),
            (.email, "first.last@example.com", "first.last@example.com"),
            (.email, "...@gmail.com", nil),
            (.firstName, " Anna-Maria 2 ", "annamaria"), (.firstName, "Mary Ann", "mary ann"),
            (.lastName, "O\u{2019}Brien", "obrien"), (.street, "123 Main St., #4", "123 main st 4"),
            (.city, "St. Louis 63", "st louis"), (.region, "Île-de-France", "îledefrance"),
            (.postalCode, " 1.234~5 ", "12345"), (.country, "germany", "DE"), (.country, "xx", nil),
        ] as [(GoogleField, String, String?)]
    )
    func googleMatchesByThisText(field: GoogleField, input: String, wanted: String?) {
        #expect(same(field.normalized(input, callingCode: nil), wanted))
        let sent = field.isHashed ? wanted.map { Digest.sha256($0) } : wanted
        #expect(field.sent(input, callingCode: nil) == sent)
    }

    @Test(
        arguments: [
            ("203.0.113.7", "203.0.113.7"), (" 203.0.113.7:443 ", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"), ("::ffff:203.0.113.7", "203.0.113.7"),
            ("10.0.0.1", nil), ("127.0.0.1", nil), ("192.168.1.1:80", nil), ("fe80::1", nil),
            ("::1", nil), ("fd00::1", nil), ("100.64.0.1", nil), ("203.0.113", nil),
            ("unknown", nil),
            ("", nil),
        ] as [(String, String?)]
    )
    func anAddressIsOneOfTheInternet(input: String, wanted: String?) {
        #expect(ClientAddress.normalized(input) == wanted)
    }

    @Test func amountsAreRoundedAsTheCurrencyCounts() {
        #expect(Currency.rounded(1.005, "EUR")?.text == "1.01")
        #expect(Currency.rounded(123.456, "JPY")?.text == "123")
        #expect(Currency.rounded(1.2345, "KWD")?.text == "1.235")
        #expect(Currency.rounded(0.1, "USD")?.text == "0.1")
        #expect(Currency.rounded(0, "USD")?.text == "0")
        #expect(Currency.rounded(1e15, "USD") == nil)
        #expect(Currency.rounded(.nan, "USD") == nil)
        #expect(Currency.code(" usd ") == "USD" && Currency.code("EURO") == nil)
        #expect(Currency.code("ZZZ") == nil)
    }

    // MARK: - Traits

    private func hashes(_ traits: String) -> IdentifyHashes {
        let bytes = Array(traits.utf8)
        return bytes.withUnsafeBytes { IdentifyHashes(traits: ByteView($0), context) }
    }

    @Test func traitsOfEverySpellingBecomeHashes() {
        let one = hashes(
            """
            {"email":"A@B.co","phone":"+1 650 555 1212","firstName":"Anna","lastName":"Ng",\
            "birthday":"1990-01-02","gender":"female","userId":42,\
            "address":{"city":"Bonn","postalCode":"53111","state":"NRW","country":"DE"}}
            """
        )
        let other = hashes(
            """
            {"Email_Address":"a@b.co","phone_number":"0016505551212","name":"Anna Ng",\
            "date_of_birth":"19900102","sex":"F","user_id":"42","city":"bonn","zip":"53111",\
            "region":"nrw","country_code":"Germany","password":"hunter2","note":{"email":"x@y.z"}}
            """
        )
        #expect(one == other)
        #expect(one.meta.count == 11 && one.google.count == 8)
        #expect(one.meta["em"] == [Digest.sha256("a@b.co")])
        #expect(one.google["city"] == ["bonn"])
    }

    @Test func onlyWhatIsCalledHashedCountsAsHashed() {
        let hash = Digest.sha256("a@b.co")
        #expect(hashes("{\"email_sha256\":\"\(hash.uppercased())\"}").meta["em"] == [hash])
        #expect(hashes("{\"email\":\"\(hash)\"}").meta.isEmpty)
        #expect(hashes("{\"email_sha256\":\"a@b.co\"}").meta.isEmpty)
        #expect(hashes("{\"email_sha256\":\"5d41402abc4b2a76b9719d911017c592\"}").meta.isEmpty)
    }

    @Test func theUserIsKnownByAnIdThatIsNoAddress() {
        func hash(_ user: StaticString, _ traits: StaticString = "{}") -> [String]? {
            IdentifyHashes(traits: ByteView(traits), user: ByteView(user), context)
                .meta["external_id"]
        }
        #expect(hash("User 42") == [Digest.sha256("user42")])
        #expect(hash("\\u0055ser42", "") == [Digest.sha256("user42")])
        #expect(hash("User 42", "{\"user_id\":\"7\"}") == [Digest.sha256("7")])
        #expect(hash("anna@example.com") == nil && hash("") == nil)
    }

    @Test func aSealHoldsNoPlainContact() throws {
        let traits = Array("{\"email\":\"anna@example.com\",\"phone\":\"+16505551212\"}".utf8)
        let seal = traits.withUnsafeBytes { IdentifyHashes.seal(traits: ByteView($0), context) }
        let text = String(decoding: try #require(seal), as: UTF8.self)
        #expect(
            text.hasPrefix("{\"m\":{\"em\":[\"") && text.contains("\"g\":{\"sha256_email_address\"")
        )
        #expect(!text.contains("anna") && !text.contains("650555"))
        let nothing = Array("{\"plan\":\"pro\",\"email\":[1],\"phone\":{}}".utf8)
        #expect(
            nothing.withUnsafeBytes { IdentifyHashes.seal(traits: ByteView($0), context) } == nil
        )
    }
}
