import Bytes
import Privacy
import TestSupport
import Testing
import Wire

@testable import heliograph

/// The cookie with the device's id is set where the page's own host takes the beacons, once, for those
/// who agreed to be known again, and ends when they take that back.
@Suite struct DeviceCookieTests {
    private let device = "device-0123456789abcd"

    /// The header line of the answer, or nothing.
    private func line(
        _ wish: DeviceCookie.Wish,
        origin: String = "https://shop.example",
        host: String = "shop.example",
        cookies: String = ""
    ) -> String {
        let origin = origin.isEmpty ? "" : "Origin: \(origin)\r\n"
        let known = cookies.isEmpty ? "" : "Cookie: \(cookies)\r\n"
        let request = "POST /v1/e HTTP/1.1\r\nHost: \(host)\r\n\(origin)\(known)\r\n"
        return withView(request) { bytes in
            guard case .complete(let head) = RequestParser.parse(bytes) else { return "refused" }
            var lines = ByteBuffer(capacity: 64, limit: 1024)
            DeviceCookie.decide(wish, head, host: head.host).append(to: &lines)
            return lines.view.text
        }
    }

    private func keeping(
        origin: String = "https://shop.example",
        host: String = "shop.example",
        cookies: String = ""
    ) -> String {
        withView(device) { line(.keep($0), origin: origin, host: host, cookies: cookies) }
    }

    private var whole: String {
        "Set-Cookie: _hg_d=\(device); Max-Age=34128000; Path=/; SameSite=Lax"
    }

    @Test func itIsSetForThirteenMonthsAndScriptsMayReadIt() {
        #expect(keeping() == whole + "; Secure\r\n")
        #expect(keeping(origin: "http://shop.example") == whole + "\r\n")
        #expect(keeping(origin: "http://127.0.0.1:8600", host: "127.0.0.1:8600") == whole + "\r\n")
        #expect(keeping(host: "Shop.Example:443") == whole + "; Secure\r\n")
    }

    @Test(arguments: [
        ("https://shop.example", "t.shop.example"), ("https://evil.example", "shop.example"),
        ("https://shop.example.evil.example", "shop.example"),
        ("https://hop.example", "shop.example"),
        ("https://shop.example:8443", "shop.example"), ("https://shop.example", "shop.example:80"),
        ("null", "null"), ("", "shop.example"), ("https://", "shop.example"),
        ("ftp://shop.example", "shop.example"),
    ])
    func anotherHostsPagesGetNone(_ origin: String, _ host: String) {
        #expect(keeping(origin: origin, host: host) == "")
        #expect(line(.end, origin: origin, host: host) == "")
    }

    @Test func itIsNotRenewed() {
        #expect(keeping(cookies: "_hg_d=\(device)") == "")
        #expect(keeping(cookies: "a=1; _hg_d=\(device); b=2") == "")
        #expect(keeping(cookies: "a=1;_hg_d=another-device-0123456") == whole + "; Secure\r\n")
        #expect(keeping(cookies: "x_hg_d=\(device)") == whole + "; Secure\r\n")
        #expect(keeping(cookies: "_hg_d; =; ;;_hg_dd=\(device)") == whole + "; Secure\r\n")
    }

    @Test func itEndsAtOnceWithTheConsent() {
        let end = "Set-Cookie: _hg_d=; Max-Age=0; Path=/; SameSite=Lax; Secure\r\n"
        #expect(line(.end, cookies: "_hg_d=\(device)") == end)
        #expect(line(.none, cookies: "_hg_d=\(device)") == "")
    }

    // MARK: - What a beacon means for it

    private func wish(_ beacon: String, _ request: Request = Request()) -> String {
        let route = RouteUnderTest()
        return route.deviceWish(beacon, request)
    }

    @Test func onlyThoseWhoAgreedToStorageAreKnownAgain() {
        #expect(wish(beacon()) == "keep \(device)")
        #expect(wish(beacon([("c", "1")])) == "none")
        #expect(wish(beacon([("d", nil)])) == "none")
        #expect(wish(beacon([("d", "\"short\"")])) == "none")
        #expect(wish(beacon([("d", "\"a\\r\\nX-Evil: 1 padding padding\"")])) == "none")
        #expect(wish(beacon([("k", "\"nobody\"")])) == "none")
        var replay = Request()
        replay.isReplay = true
        #expect(wish(beacon(), replay) == "none")
    }

    @Test(arguments: ["0", "1", "61"])
    func whoTakesStorageBackIsForgotten(_ bits: String) {
        let choice = #"{"t":"cs","n":2,"o":260,"p":1,"bits":\#(bits)}"#
        #expect(wish(beacon([("c", bits)], events: choice)) == "end")
        #expect(wish(beacon([("c", bits)], events: goodEvent + "," + choice)) == "end")
        #expect(wish(beacon([("c", bits)])) == "none")
    }

    @Test func theWishOfOneBeaconIsNotTheNextOnes() {
        let route = RouteUnderTest()
        #expect(route.deviceWish(beacon(), Request()) == "keep \(device)")
        #expect(route.deviceWish("{", Request()) == "none")
        let choice = #"{"t":"cs","n":2,"o":260,"p":1,"bits":0}"#
        #expect(route.deviceWish(beacon([("c", "0")], events: choice), Request()) == "end")
        #expect(route.deviceWish(beacon([("c", "0")]), Request()) == "none")
    }
}
