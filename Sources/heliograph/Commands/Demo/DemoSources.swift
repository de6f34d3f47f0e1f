/// Where somebody came from: what the address of the first page and its referrer say.
struct DemoSource {
    let query: String
    let referrer: String
    let share: Double
    /// How much more or less likely than others those who come this way are to buy.
    var readiness = 1.0
}

/// The ways to the demo shop. The campaign comes on top of the others while it runs.
enum DemoSources {
    static let campaign = [
        DemoSource(
            query: "?utm_source=instagram&utm_medium=paid_social&utm_campaign=longer-evenings"
                + "&utm_content=reel-3",
            referrer: "https://l.instagram.com/",
            share: 62,
            readiness: 0.45
        ),
        DemoSource(
            query: "?utm_source=newsletter&utm_medium=email&utm_campaign=longer-evenings",
            referrer: "",
            share: 38,
            readiness: 1.5
        ),
    ]

    static let usual = [
        DemoSource(query: "", referrer: "", share: 23, readiness: 1.2),
        DemoSource(query: "", referrer: "https://www.google.com/", share: 26),
        DemoSource(query: "", referrer: "https://www.bing.com/", share: 3),
        DemoSource(query: "", referrer: "https://duckduckgo.com/", share: 3),
        DemoSource(
            query: "?utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=halden+lamp",
            referrer: "https://www.google.com/",
            share: 9,
            readiness: 1.5
        ),
        DemoSource(
            query:
                "?utm_source=google&utm_medium=cpc&utm_campaign=daylight-lamps&gclid=demo-seeded",
            referrer: "https://www.google.com/",
            share: 8,
            readiness: 0.9
        ),
        DemoSource(
            query: "?utm_source=facebook&utm_medium=paid_social&utm_campaign=lookalike-desk",
            referrer: "https://www.facebook.com/",
            share: 5,
            readiness: 0.5
        ),
        DemoSource(query: "", referrer: "https://www.pinterest.com/", share: 4, readiness: 0.6),
        DemoSource(
            query: "?utm_source=newsletter&utm_medium=email&utm_campaign=monthly-letter",
            referrer: "",
            share: 7,
            readiness: 1.7
        ),
        DemoSource(query: "", referrer: "https://goodlight.example/lamps-2026", share: 6),
        DemoSource(query: "", referrer: "https://desks.example/set-ups", share: 3, readiness: 0.8),
        DemoSource(query: "", referrer: "https://chatgpt.com/", share: 3, readiness: 1.3),
    ]

    /// Those who come back do so by themselves, by search or by letter.
    static let again = [usual[0], usual[0], usual[1], usual[4], usual[8]]
}
