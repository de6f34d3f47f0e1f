/// A part of a page of the demo shop, as its `data-section` marks it.
struct DemoSection {
    let category: String
    let words: Int
}

/// A page of the demo shop, as its files under Companion/Pages/demo are.
struct DemoPage {
    let path: String
    let title: String
    let sections: [DemoSection]
    /// What its main button is called; empty when it has none.
    var button = ""
    let height: Int
    /// What looks as if a click would do something.
    var lure = (label: "Halden", tag: "img")

    var words: Int { sections.reduce(0) { $0 + $1.words } }
}

/// The shop that the past is about: the same as at /demo.
enum DemoShop {
    static let origin = "https://halden.example"

    static let home = DemoPage(
        path: "/demo/",
        title: "Lamps that follow the daylight · Halden",
        sections: [
            DemoSection(category: "intro", words: 42),
            DemoSection(category: "catalogue", words: 60),
            DemoSection(category: "testimonials", words: 110),
            DemoSection(category: "awards", words: 48),
            DemoSection(category: "guarantee", words: 52),
            DemoSection(category: "pricing", words: 24),
        ],
        button: "see-pricing",
        height: 4_300
    )
    static let lamps = DemoPage(
        path: "/demo/catalogue.html",
        title: "Lamps · Halden",
        sections: [
            DemoSection(category: "catalogue", words: 90),
            DemoSection(category: "comparison", words: 40),
        ],
        button: "compare",
        height: 2_200,
        lure: ("Halden Disc", "img")
    )
    static let product = DemoPage(
        path: "/demo/product.html",
        title: "Halden One · Halden",
        sections: [
            DemoSection(category: "gallery", words: 12), DemoSection(category: "buy", words: 48),
            DemoSection(category: "story", words: 120), DemoSection(category: "specs", words: 95),
            DemoSection(category: "testimonials", words: 130),
            DemoSection(category: "guarantee", words: 52),
        ],
        button: "add-to-cart",
        height: 5_200,
        lure: ("One at dusk", "img")
    )
    static let pricing = DemoPage(
        path: "/demo/pricing.html",
        title: "Pricing · Halden",
        sections: [
            DemoSection(category: "pricing", words: 110),
            DemoSection(category: "guarantee", words: 52),
            DemoSection(category: "testimonials", words: 90),
            DemoSection(category: "faq", words: 80),
        ],
        button: "choose-swap",
        height: 3_600,
        lure: ("What is swapped", "div")
    )
    static let compare = DemoPage(
        path: "/demo/compare.html",
        title: "Compare · Halden",
        sections: [
            DemoSection(category: "comparison", words: 140),
            DemoSection(category: "specs", words: 100),
        ],
        button: "see-pricing",
        height: 2_600,
        lure: ("Lumen", "th")
    )
    static let trying = DemoPage(
        path: "/demo/demo.html",
        title: "Try it · Halden",
        sections: [
            DemoSection(category: "demo", words: 40),
            DemoSection(category: "testimonials", words: 90),
        ],
        button: "order-one",
        height: 2_100
    )
    static let questions = DemoPage(
        path: "/demo/faq.html",
        title: "Questions · Halden",
        sections: [
            DemoSection(category: "faq", words: 240), DemoSection(category: "guarantee", words: 52),
        ],
        height: 2_400,
        lure: ("Delivery", "h2")
    )
    static let about = DemoPage(
        path: "/demo/about.html",
        title: "About · Halden",
        sections: [
            DemoSection(category: "about", words: 160), DemoSection(category: "awards", words: 48),
            DemoSection(category: "testimonials", words: 80),
        ],
        height: 2_700,
        lure: ("Light award 2024", "img")
    )
    static let checkout = DemoPage(
        path: "/demo/checkout.html",
        title: "Checkout · Halden",
        sections: [DemoSection(category: "checkout", words: 70)],
        button: "place-order",
        height: 1_900
    )
    static let thanks = DemoPage(
        path: "/demo/thanks.html",
        title: "Thank you · Halden",
        sections: [DemoSection(category: "thanks", words: 40)],
        height: 1_000
    )

    /// What is sold, and how often it is what somebody takes.
    struct Item {
        let id: String
        let name: String
        let price: Int
        let share: Double
        /// A plan is chosen among the prices, a lamp put into the basket.
        var isPlan = false
    }

    static let items = [
        Item(id: "halden-one", name: "Halden One", price: 249, share: 30),
        Item(id: "halden-arc", name: "Halden Arc", price: 489, share: 9),
        Item(id: "halden-disc", name: "Halden Disc", price: 329, share: 13),
        Item(id: "keep", name: "Keep plan", price: 19, share: 14, isPlan: true),
        Item(id: "swap", name: "Swap plan", price: 29, share: 24, isPlan: true),
        Item(id: "studio", name: "Studio plan", price: 49, share: 10, isPlan: true),
    ]
}
