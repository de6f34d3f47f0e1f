import Bytes
import Testing

/// Numbers: what is read, what PostgreSQL could not hold, what would be read differently elsewhere.
@Suite struct JSONNumbersTests {
    @Test(arguments: [
        ("0", 0), ("-0", 0), ("7", 7), ("-1", -1), ("9223372036854775807", Int64.max),
        ("-9223372036854775808", Int64.min), ("1760000000000", 1_760_000_000_000),
    ])
    func integersAreReadExactly(text: String, value: Int64) throws {
        let read = try withView(text) { view in
            var cursor = JSONCursor(view)
            return try cursor.integer()
        }
        #expect(read == value)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "1.0", "1e3", "99999999999999999999",
    ])
    func integersThatDoNotFitAreRefused(text: String) {
        withView(text) { view in
            var cursor = JSONCursor(view)
            #expect(throws: JSONError(.numberOutOfRange, at: 0)) { try cursor.integer() }
        }
    }

    @Test func doublesAreTheNearest() throws {
        var random = RandomJSON(seed: 77)
        for _ in 0..<4000 {
            let text = random.number()
            let read = try withView(text) { view in
                var cursor = JSONCursor(view)
                return try cursor.double()
            }
            #expect(read == Double(text), "\(text)")
        }
    }

    @Test(arguments: ["-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "0x1", "1.e3", "--1", "1_0"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(refusal(text) != nil)
    }

    /// `jsonb` stores numbers as `numeric`; an exponent can make one that it refuses or that fills
    /// pages. The limits are a double's exponent and 330 characters.
    @Test(arguments: [
        ("1e308", true), ("1E+308", true), ("-1e-308", true), ("1e0000000308", true),
        ("1e309", false), ("1e-309", false), ("1e131072", false), ("1e99999999999999999999", false),
        ("[1,2,3e400]", false), ("{\"a\":1e-16384}", false),
    ])
    func exponentsBeyondADoublesAreRefused(text: String, isGood: Bool) {
        #expect((refusal(text) == nil) == isGood)
        if !isGood { #expect(refusal(text)?.reason == .numberOutOfRange) }
    }

    @Test func numbersLongerThanAnyDoubleAreRefused() {
        for (length, isGood) in [(330, true), (331, false), (100_000, false)] {
            let whole = String(repeating: "9", count: length)
            #expect((refusal(whole) == nil) == isGood)
            let fraction = "0." + String(repeating: "3", count: length - 2)
            #expect((refusal(fraction) == nil) == isGood)
        }
    }
}
