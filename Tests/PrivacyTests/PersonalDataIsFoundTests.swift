// Goal: personal data is found whatever its language, writing and encoding, and what only looks like it
// is not. Every number here is invented or a published sample.

import Bytes
import TestSupport
import Testing

@testable import Privacy

private let chanceInBase64 =
    "eyJlbWFpbCI6ICJra3hrbW5tc3JAcnNtbm1reGtrLmV4YW"
    + "1wbGUiLCAicGhvbmUiOiAiKzQ5IDE1MSA5MTAxOTkxNSJ9"

/// A text and what should be found in it.
struct Sample: Sendable, CustomTestStringConvertible {
    var text: String
    var key = ""
    var place = TextPlace.freeText
    var find: String
    var one: PersonalClass

    init(
        _ text: String,
        key: String = "",
        at place: TextPlace = .freeText,
        _ find: String,
        _ one: PersonalClass
    ) {
        (self.text, self.key, self.place, self.find, self.one) = (text, key, place, find, one)
    }

    var testDescription: String { "\(key) \(text)" }
}

/// The pieces that a detector finds, with their classes.
func finds(
    _ text: String,
    key: String = "",
    at place: TextPlace = .freeText
) -> [(text: String, one: PersonalClass)] {
    var detector = Detector()
    return withView(text) { view in
        withView(key) { key in
            detector.scan(view, at: place, key: key)
            return detector.spans.map { (view[$0.start..<$0.end].text, $0.personalClass) }
        }
    }
}

@Suite struct PersonalDataIsFoundTests {
    @Test(arguments: [
        Sample("пишите на ivan@primer.ru завтра", "ivan@primer.ru", .email),
        Sample("müller@bücher.de ist da", "müller@bücher.de", .email),
        Sample("write joe (at) example (dot) org", "joe (at) example (dot) org", .email),
        Sample(
            "pierre%2540example.fr",
            key: "note",
            at: .propertyValue,
            "pierre%2540example.fr",
            .email
        ),
        Sample(
            "pierre&#x40;example.fr",
            key: "note",
            at: .propertyValue,
            "pierre&#x40;example.fr",
            .email
        ),
        Sample(
            "pierre\\u0040example.fr",
            key: "note",
            at: .propertyValue,
            "pierre\\u0040example.fr",
            .email
        ),
        Sample(
            "eyJtYWlsIjoicGllcnJlQGV4YW1wbGUuZnIifQ==",
            key: "blob",
            at: .propertyValue,
            "eyJtYWlsIjoicGllcnJlQGV4YW1wbGUuZnIifQ==",
            .email
        ),
        Sample("call me on 020 7946 0018", "020 7946 0018", .phone),
        Sample("电话 138 0013 8000", "138 0013 8000", .phone),
        Sample("+14155550132", key: "x", at: .propertyValue, "+14155550132", .phone),
        Sample("+７４９５１２３４５６７", key: "x", at: .propertyValue, "+７４９５１２３４５６７", .phone),
        Sample("05321234567", key: "cep_telefonu", at: .propertyValue, "05321234567", .phone),
        Sample("karte 5500-0000-0000-0004 abgelehnt", "5500-0000-0000-0004", .card),
        Sample("378282246310005", key: "x", at: .propertyValue, "378282246310005", .card),
        Sample("iban gb29nwbk60161331926819", "gb29nwbk60161331926819", .iban),
        Sample("is 123-45-6789 on file", "123-45-6789", .usSSN),
        Sample("ssn 123–45–6789", "123–45–6789", .usSSN),
        Sample("123456789", key: "applicantSsn", at: .propertyValue, "123456789", .usSSN),
        Sample("900700000", key: "itin", at: .propertyValue, "900700000", .usITIN),
        Sample("123456789", key: "federalTaxId", at: .propertyValue, "123456789", .usEIN),
        Sample("is JG 10 37 59 A right", "JG 10 37 59 A", .ukNINO),
        Sample("personnummer 811218-9876", "811218-9876", .nationalID),
        Sample("身份证号 11010519491231002X", "11010519491231002X", .nationalID),
        Sample("529.982.247-25", key: "x", at: .propertyValue, "529.982.247-25", .nationalID),
        Sample("131052-308T", key: "x", at: .propertyValue, "131052-308T", .nationalID),
        Sample("útlevél BA1234567", "BA1234567", .passport),
        Sample("Führerschein B072RRE2I55", "B072RRE2I55", .driverLicence),
        Sample("born March 3, 1975 in Ohio", "March 3, 1975", .birthDate),
        Sample("生年月日 1990年5月1日", "1990年5月1日", .birthDate),
        Sample("меня зовут Анна Иванова", "Анна Иванова", .personName),
        Sample("私の名前は田中太郎です", "田中太郎", .personName),
        Sample("J SMITH", key: "nameOnCard", at: .propertyValue, "J SMITH", .personName),
        Sample("ich wohne in der Hauptstraße 12", "Hauptstraße 12", .streetAddress),
        Sample("東京都千代田区丸の内1-9-1", key: "住所", at: .propertyValue, "東京都千代田区丸の内1-9-1", .streetAddress),
        Sample("host 2001:db8::ff00:42:8329 up", "2001:db8::ff00:42:8329", .ipAddress),
        Sample("203.0.113.7", key: "x", at: .propertyValue, "203.0.113.7", .ipAddress),
        Sample("tengo cáncer desde ayer", "cáncer", .health),
        Sample("treatment for depression", "depression", .health),
        Sample("дома беременность тест", "беременность", .health),
        Sample("ICD-10: E11.9 today", "E11.9", .health),
        Sample("00123456", key: "mrn", at: .propertyValue, "00123456", .health),
        Sample("my password is Tr0ub4dor&3", "Tr0ub4dor&3", .credential),
        Sample("123456", key: "otp", at: .propertyValue, "123456", .credential),
        Sample("/invite/a8F3kLm29QpXz71VbNc4Ty", at: .path, "a8F3kLm29QpXz71VbNc4Ty", .credential),
        Sample("52.5200,13.4050", key: "coords", at: .propertyValue, "52.5200,13.4050", .geo),
        Sample("-0.12776", key: "geo_lng", at: .propertyValue, "-0.12776", .geo),
        Sample(
            "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Fu%3Djo%2540example.net",
            at: .url,
            "jo%2540example.net",
            .email
        ),
        Sample("https://jo:pw%40x@a.example/", at: .url, "jo:pw%40x", .credential),
        Sample(#"{"ssn":123456789,"n":1}"#, key: "body", at: .propertyValue, "123456789", .usSSN),
        // By chance an Italian tax number stands in what is base64 of more.
        Sample(chanceInBase64, key: "coded", at: .propertyValue, chanceInBase64, .nationalID),
    ])
    func inManyWritings(_ sample: Sample) {
        let found = finds(sample.text, key: sample.key, at: sample.place)
        #expect(found.map(\.text) == [sample.find])
        #expect(found.first?.one == sample.one)
    }

    /// One value of each class under its key survives every encoding that a browser may add.
    @Test(arguments: [
        ("email", "jane@example.com"), ("phone", "+4917012345678"), ("card", "4242424242424242"),
        ("iban", "DE89370400440532013000"), ("ssn", "123-45-6789"), ("nino", "JG103759A"),
        ("dni", "12345678Z"), ("passport", "X1234567"), ("dob", "1988-11-05"),
        ("first_name", "Olufemi"), ("street", "Calle Mayor 45"), ("ip", "203.0.113.7"),
        ("diagnosis", "migraine"), ("password", "Tr0ub4dor"), ("gps", "52.5200,13.4050"),
    ])
    func howeverEncoded(_ key: String, _ value: String) {
        let percent = value.utf8.map { "%" + String($0, radix: 16) }.joined()
        let twice = percent.replacing("%", with: "%25")
        let entities = value.unicodeScalars.map { "&#\($0.value);" }.joined()
        let wide = value.unicodeScalars.map { scalar in
            scalar.value > 32 ? String(UnicodeScalar(scalar.value + 0xfee0) ?? scalar) : " "
        }.joined()
        let invisible = value.map { "\($0)" }.joined(separator: "\u{200b}")
        for text in [value, percent, twice, entities, wide, invisible] {
            #expect(finds(text, key: key, at: .propertyValue).count == 1, "\(key) \(text)")
            let json = #"{"\#(key)":"\#(text)"}"#
            #expect(!finds(json, key: "payload", at: .propertyValue).isEmpty, "\(json)")
        }
    }

    @Test(arguments: [
        "jeans 501 slim 32/34", "order #549817988", "follow @heliograph", "lodash@4.17.21",
        "zip 12345-6789", "part 689-89-64A", "ISBN 978-3-16-148410-0", "dead by daylight 2",
        "uuid 550e8400-e29b-41d4-a716-446655440000", "stress ball 7 pack", "E10 petrol",
        "hello kitty mug", "dr martens 1460", "passport photo size", "21 jump street dvd",
        "nie ma problemu 12345678", "fits sizes 94-105-124", "10 000 000 views", "+20 %",
        "кроссовки мужские 42", "跑步鞋 470", "１２８０円の商品", "translate(12.345px, 67.891px)",
    ])
    func whatOnlyLooksLikeItStays(_ text: String) {
        #expect(finds(text).isEmpty)
    }

    @Test(arguments: [
        ("phone_model", "Galaxy S24"), ("ssn_required", "false"), ("item_condition", "used"),
        ("session_length", "8421"), ("sdk_version", "10.20.30.40"), ("gtin", "4006381333931"),
        ("sku", "AB123456E"), ("timestamp", "1735689600000"), ("time_us", "1735689600000000"),
        ("pass", "season"), ("item_name", "Calvin Klein jeans"), ("dx", "12"),
        ("gclid", "EAIaIQobChMI12345678901234567890"), ("dob_format", "dd/mm/yyyy"),
    ])
    func keysThatOnlyMentionAClassAreHarmless(_ key: String, _ value: String) {
        #expect(finds(value, key: key, at: .propertyValue).isEmpty)
        #expect(finds(key, at: .propertyName).isEmpty)
    }

    @Test func whatIsTooLongIsNotPassed() {
        let text = String(repeating: "a ", count: Detector.bytesMaximum / 2 + 1)
        #expect(finds(text).map(\.one) == [.unscanned])
    }

    @Test func everyHeadingOfTheListsIsKnown() {
        let files = [
            PackageResources.keys_txt, PackageResources.cues_txt, PackageResources.health_txt,
            PackageResources.places_txt, PackageResources.names_txt,
            PackageResources.parameters_txt,
        ]
        for file in files {
            for line in String(decoding: file, as: UTF8.self).split(separator: "\n")
            where line.hasPrefix("[") {
                let words = line.dropFirst().prefix { $0 != "]" }.split(separator: " ")
                #expect(WordLists.section(words) != nil, "\(line)")
            }
        }
        #expect(WordLists.all.count > 5_000)
    }
}
