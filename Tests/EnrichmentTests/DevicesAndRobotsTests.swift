import Enrichment
import Records
import TestSupport
import Testing

private let windows =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    + "Chrome/126.0.0.0 Safari/537.36"
private let iPhone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    + "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
private let pixel =
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    + "Chrome/126.0.0.0 Mobile Safari/537.36"
private let androidTablet =
    "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) "
    + "Chrome/126.0.0.0 Safari/537.36"
private let iPad =
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    + "Version/16.6 Mobile/15E148 Safari/604.1"
private let cubot =
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) "
    + "Chrome/126.0.0.0 Mobile Safari/537.36"
private let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

/// What a user agent tells: the kind of machine, and whether there is a person before it.
@Suite struct DevicesAndRobotsTests {
    @Test(arguments: [
        ("", Slice.DeviceClass.unknown), (windows, .desktop), (firefox, .desktop), (iPhone, .phone),
        (pixel, .phone), (cubot, .phone), (androidTablet, .tablet), (iPad, .tablet),
        ("Mozilla/5.0 (Android 14; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0", .tablet),
        ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", .phone),
        ("x", .desktop),
    ])
    func theKindOfMachine(_ userAgent: String, _ device: Slice.DeviceClass) {
        #expect(withView(userAgent) { DeviceGuess.deviceClass($0) } == device)
    }

    @Test(arguments: [windows, iPhone, pixel, androidTablet, iPad, cubot, firefox])
    func peoplesBrowsersAreNoRobots(_ userAgent: String) {
        #expect(!withView(userAgent) { DeviceGuess.isAutomated($0) })
    }

    @Test(arguments: [
        "", "curl/8.5.0", "python-requests/2.32", "Wget/1.21", "Go-http-client/2.0", "Java/17",
        "okhttp/4.12", "Googlebot/2.1 (+http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)", "Mozilla/5.0 (compatible; AhrefsBot/7.0)",
        "facebookexternalhit/1.1", "Mozilla/5.0 (X11) HeadlessChrome/126.0", "x crawler",
        "a spider",
        "Chrome-Lighthouse", "PhantomJS/2.1", "bot",
    ])
    func programsAreRobots(_ userAgent: String) {
        #expect(withView(userAgent) { DeviceGuess.isAutomated($0) })
    }

    @Test(arguments: ["bo", "o", "cur", "curl", "B", "headles", "Headles"])
    func theBeginningOfAWordIsNotTheWord(_ userAgent: String) {
        #expect(!withView(userAgent) { DeviceGuess.isAutomated($0) })
    }
}
