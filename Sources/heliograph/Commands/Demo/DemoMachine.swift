/// What somebody browses with.
struct DemoMachine {
    let userAgent: String
    let viewport: (width: Int, height: Int)
    let isTouch: Bool
    let share: Double

    static let desktops = [
        DemoMachine(
            userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                + "Gecko) Chrome/141.0.0.0 Safari/537.36",
            viewport: (1_536, 730),
            isTouch: false,
            share: 46
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
                + "(KHTML, like Gecko) Version/18.6 Safari/605.1.15",
            viewport: (1_440, 790),
            isTouch: false,
            share: 24
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 "
                + "Firefox/144.0",
            viewport: (1_920, 940),
            isTouch: false,
            share: 14
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
                + "Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            viewport: (1_536, 710),
            isTouch: false,
            share: 12
        ),
    ]

    static let phones = [
        DemoMachine(
            userAgent:
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
                + "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            viewport: (393, 740),
            isTouch: true,
            share: 54
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "Chrome/141.0.0.0 Mobile Safari/537.36",
            viewport: (412, 780),
            isTouch: true,
            share: 40
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
                + "like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            viewport: (820, 1_060),
            isTouch: true,
            share: 6
        ),
    ]

    static let bots = [
        DemoMachine(
            userAgent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            viewport: (412, 732),
            isTouch: false,
            share: 5
        ),
        DemoMachine(
            userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                + "HeadlessChrome/141.0.0.0 Safari/537.36",
            viewport: (800, 600),
            isTouch: false,
            share: 4
        ),
    ]

    static let languages = [
        ("de-DE", 60, 46.0), ("en-GB", 0, 14), ("fr-FR", 60, 12), ("nl-NL", 60, 10),
        ("en-US", -300, 8),
        ("it-IT", 60, 5), ("sv-SE", 60, 5),
    ]
}
