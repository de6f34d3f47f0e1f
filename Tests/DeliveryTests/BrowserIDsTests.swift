// Goal: browser ids of the platforms pass as they are when they are whole and not at all otherwise: one
// malformed click id would cost a whole request. Method: tables, and rules of conversions.md 1.4.1.
import Delivery
import Testing

@Suite struct BrowserIDsTests {
    @Test(arguments: [
        "fb.1.1762902353123.IwAR1a-b_c", "fb.0.1762902353123.X", "fb.1.1762902353123.X.AQ",
        "fb.2.1762902353123.IwAR.AQICAQMC",
    ])
    func aWholeClickIDPassesUntouched(text: String) {
        #expect(FacebookID(click: text)?.text == text)
    }

    @Test(arguments: [
        "", "fb", "fb.1.1762902353123", "fb.1.1762902353123.", "fb.12.1762902353123.X",
        "fb.1.1762902353.X", "fb.1.17629023531234.X", "fb.1.176290235312a.X",
        "FB.1.1762902353123.X",
        "fb.1.1762902353123.a b", "fb.1.1762902353123.a;b", "fb.1.1762902353123.X.ZZ",
        "fb.1.1762902353123.X.AQIC", "fb.1.1762902353123.X.AQICAQMC.Y", "fb.+.1762902353123.X",
    ])
    func aBrokenOneIsNone(text: String) {
        #expect(FacebookID(click: text) == nil)
    }

    @Test func aBrowserIDIsANumber() {
        #expect(FacebookID(browser: "fb.1.1596403881668.1116446470") != nil)
        #expect(FacebookID(browser: "fb.1.1596403881668.1116446470.AQICAQMC") != nil)
        #expect(FacebookID(browser: "fb.1.1596403881668.IwAR") == nil)
    }

    @Test func onlyAnotherClickReplacesACookie() {
        let cookie = "fb.1.1700000000000.OLD.Ag"
        func click(_ id: String?, _ cookie: String?) -> String? {
            FacebookID.click(cookie: cookie, clickID: id, seenAtMilliseconds: 1_762_902_353_123)?
                .text
        }
        #expect(click("OLD", cookie) == cookie)
        #expect(click(nil, cookie) == cookie)
        #expect(click("NEW", cookie) == "fb.1.1762902353123.NEW")
        #expect(click("NEW", "garbage") == "fb.1.1762902353123.NEW")
        #expect(click("N%2DW", cookie) == "fb.1.1762902353123.N-W")
        #expect(click("OL%44", cookie) == cookie)
        for broken in ["N;W", "N%3BW", "N%2", "N%252DW", ""] {
            #expect(click(broken, cookie) == cookie)
        }
        #expect(click(nil, nil) == nil)
    }

    @Test func aClickIDIsFoundInAnAddress() {
        #expect(
            FacebookID.clickID(inURL: "https://a.example/?x=1&fbclid=Ab%2Dc#fbclid=no") == "Ab-c"
        )
        #expect(FacebookID.clickID(inURL: "https://a.example/?fbclid=a%2") == nil)
        #expect(FacebookID.clickID(inURL: "https://a.example/?fbclid=a%252d") == nil)
        #expect(FacebookID.clickID(inURL: "https://a.example/#?fbclid") == nil)
        #expect(FacebookID.clickID(inURL: "https://a.example/?xfbclid=A") == nil)
    }

    @Test(
        arguments: [
            ("GA1.1.123456789.1762940000", "123456789.1762940000"),
            ("GA1.2.123.1762940000", "123.1762940000"), ("GA1.2-2.123.456", "123.456"),
            ("123.456", "123.456"), ("GA1.1.abc.456", nil), ("GA1.1.123", nil), ("0.456", nil),
            ("1.2.3", nil), ("", nil), ("-1.5", nil),
        ] as [(String, String?)]
    )
    func aClientIDIsTwoNumbers(cookie: String, wanted: String?) {
        #expect(GoogleID.client(cookie) == wanted)
    }

    @Test(
        arguments: [
            ("GS1.1.1762949000.3.1.1762949990.60.0.0", 1_762_949_000),
            ("GS2.1.s1762949000$o3$g1$t1762949990", 1_762_949_000),
            ("GS2.1.o3$s1762949000$g1", 1_762_949_000), ("GS2.1.o3$g1", nil), ("GS1.1.abc.3", nil),
            ("GS1.1.1762949000123.3", nil), ("GS3.1.s1762949000", nil), ("", nil),
        ] as [(String, Int64?)]
    )
    func aSessionIsWhenItBegan(cookie: String, wanted: Int64?) {
        #expect(GoogleID.session(cookie) == wanted)
    }
}
