// Goal: every check digit is computed as its issuer does. Samples are published ones or invented; each is
// also held with one digit changed.

import Testing

@testable import Privacy

@Suite struct NumbersAreCheckedTests {
    private static func digits(_ text: String) -> [UInt8] { text.utf8.map { $0 - 48 } }

    private typealias Check = @Sendable ([UInt8]) -> Bool

    private static let numbers: [(String, String, Check)] = [
        ("NL", "111222333", NationalNumbers.isServiceNL),
        ("PT", "123456789", NationalNumbers.isTaxPT), ("AU", "123456782", NationalNumbers.isTaxAU),
        ("GB", "9434765919", NationalNumbers.isHealthGB),
        ("SE", "8112189876", NationalNumbers.isPersonSE),
        ("AT", "1237010180", NationalNumbers.isSocialAT),
        ("BG", "7523169263", NationalNumbers.isPersonBG),
        ("CZ", "7801233540", NationalNumbers.isBirthNumberCZ),
        ("DE", "86095742719", NationalNumbers.isTaxDE),
        ("BE", "85073003328", NationalNumbers.isNationalBE),
        ("PL", "44051401359", NationalNumbers.isPersonPL),
        ("NO", "29029600013", NationalNumbers.isPersonNO),
        ("BR", "52998224725", NationalNumbers.isTaxBR),
        ("AR", "20123456786", NationalNumbers.isTaxAR),
        ("TR", "10000000146", NationalNumbers.isPersonTR),
        ("RU", "11223344595", NationalNumbers.isInsuranceRU),
        ("RU", "500100732259", NationalNumbers.isTaxRU),
        ("GR", "01013099997", NationalNumbers.isHealthGR),
        ("EE", "37605030299", NationalNumbers.isPersonBaltic),
        ("LT", "33309240064", NationalNumbers.isPersonBaltic),
        ("JP", "123456789018", NationalNumbers.isPersonJP),
        ("CH", "7569217076985", NationalNumbers.isPensionCH),
        ("RO", "1800101221144", NationalNumbers.isPersonRO),
        ("YU", "0101006500006", NationalNumbers.isPersonYU),
        ("TH", "1101700203450", NationalNumbers.isCitizenTH),
        ("FR", "255081416802538", NationalNumbers.isSocialSecurityFR),
        ("IN", "234123412346", CheckDigits.verhoeff),
        ("HR", "69435151530", CheckDigits.mod11and10),
        ("ZA", "8001015009087", { CheckDigits.luhn($0) }),
        ("CA", "046454286", { CheckDigits.luhn($0) }),
    ]

    @Test func digitsAreHeldToTheirCheck() {
        for (country, number, check) in Self.numbers {
            let digits = Self.digits(number)
            #expect(check(digits), "\(country) \(number)")
            var wrong = digits
            wrong[digits.count - 1] = (wrong[digits.count - 1] + 1) % 10
            #expect(!check(wrong), "\(country), last digit changed")
        }
    }

    private static let letters: [(String, String, Check)] = [
        ("ES", "12345678Z", NationalNumbers.isPersonES),
        ("ES", "X1234567L", NationalNumbers.isPersonES),
        ("IT", "RSSMRA85T10A562S", NationalNumbers.isTaxIT),
        ("MX", "HEGG560427MVZRRL04", NationalNumbers.isPersonMX),
        ("CN", "11010519491231002X", NationalNumbers.isResidentCN),
        ("FI", "131052308T", NationalNumbers.isPersonFI),
        ("CL", "12345678K", { !NationalNumbers.isRutCL($0) }),
        ("CL", "123456785", NationalNumbers.isRutCL),
    ]

    @Test func lettersAreHeldToTheirCheck() {
        for (country, number, check) in Self.letters {
            #expect(check(Array(number.utf8)), "\(country) \(number)")
            guard country != "CL" else { continue }
            var wrong = Array(number.utf8)
            wrong[number.utf8.count / 2] ^= 1
            #expect(!check(wrong), "\(country), a middle character changed")
        }
    }

    @Test(arguments: [
        ("4242424242424242", true), ("4242424242424241", false), ("378282246310005", true),
        ("36227206271667", true), ("3530111333300000", true), ("2223003122003222", true),
        ("2200000000000053", true), ("6200000000000005", true), ("1234567812345670", false),
        ("1735689600000004", false),
    ])
    func cardsHaveAnIssuerAndACheckDigit(_ number: String, _ isValid: Bool) {
        #expect(CardNumbers.isValid(Self.digits(number)) == isValid)
    }

    @Test(arguments: [
        ("DE89370400440532013000", true), ("DE89370400440532013001", false),
        ("GB29NWBK60161331926819", true), ("FR1420041010050500013M02606", true),
        ("NO9386011117947", true), ("GB29NWBK60161331926818", false),
    ])
    func accountsHaveTheirCheck(_ number: String, _ isValid: Bool) {
        let letters = Array(number.utf8)
        #expect(BankAccounts.isValid(letters[...]) == isValid)
        #expect(BankAccounts.length(letters[0], letters[1]) == letters.count)
    }
}
