/// How a kind of people goes about a shop: rates and habits that a page summary is made of. Nothing here
/// knows a signal's value or a weight; the engine has to see by itself who they are.
struct DemoManner {
    var name = "casual"
    /// Of a hundred people.
    var share = 0.0
    /// The ways through the shop; one is taken per visit.
    var ways: [[DemoPage]] = []
    var scrollPixelsPerSecond = 130.0
    var pausesPerMinute = 1.6
    /// How long they look at a section that they neither look for nor skip.
    var sectionSeconds = 3.0
    /// Sections they look for, in seconds.
    var looksFor: [String: Double] = [:]
    /// The part of a text that they read.
    var reads = 0.2
    var revisitsPerLookedFor = 0.1
    var hoverMilliseconds = 300.0
    var retreatsPerPage = 0.0
    var clicksPerMinute = 2.2
    var decisive = 0.55
    var straightPercent = 84.0
    var flipsPerMinute = 4.0
    var hesitationsPerMinute = 4.0
    var peaksPerMove = 1.8
    var gesturesPerPage = 0.4
    var keyActionsPerPage = 0.1
    var backShare = 0.12
    var awaysPerPage = 0.15
    /// Active, of the time that the page is open.
    var attention = 0.6
    var deadClicksPerPage = 0.03
    var turnsBackPerPage = 0.03
    /// Visits on other days.
    var returns = 0.35
    var buys = 0.02
    /// On a phone, of a hundred.
    var phones = 0.42
    /// Begins the form and leaves it, of those who do not buy.
    var leavesForm = 0.02
    /// What goes wrong in a field of a form.
    var frictionPerField = 0.12

    private func with(_ change: (inout DemoManner) -> Void) -> DemoManner {
        var copy = self
        change(&copy)
        return copy
    }
}

extension DemoManner {
    static let all = [
        bounces, casual, fastMover, proofDriven, reassurer, skeptic, optimizer, authoritySeeker,
        experienceFirst,
    ]

    private static let ordinary = DemoManner()

    /// Sees the first screen and goes.
    static let bounces = ordinary.with {
        ($0.name, $0.share) = ("bounces", 30)
        $0.ways = [[DemoShop.home], [DemoShop.product], [DemoShop.lamps], [DemoShop.pricing]]
        ($0.sectionSeconds, $0.returns, $0.buys, $0.attention) = (0.9, 0.05, 0, 0.5)
    }

    /// Looks around without a plan.
    static let casual = ordinary.with {
        $0.share = 33
        $0.ways = [
            [DemoShop.home, DemoShop.lamps], [DemoShop.home, DemoShop.product, DemoShop.pricing],
            [DemoShop.product, DemoShop.lamps], [DemoShop.home, DemoShop.about],
            [DemoShop.lamps, DemoShop.product], [DemoShop.home, DemoShop.pricing],
        ]
        $0.buys = 0.012
    }

    /// Knows what it is to be, and wants to be done.
    static let fastMover = ordinary.with {
        ($0.name, $0.share) = ("fast-mover", 7)
        $0.ways = [
            [DemoShop.home, DemoShop.pricing, DemoShop.checkout],
            [DemoShop.pricing, DemoShop.product, DemoShop.checkout],
            [DemoShop.product, DemoShop.pricing, DemoShop.checkout],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (640, 0.3)
        ($0.sectionSeconds, $0.looksFor) = (1.2, ["pricing": 16, "checkout": 46, "buy": 6])
        ($0.reads, $0.revisitsPerLookedFor) = (0.06, 0)
        ($0.hoverMilliseconds, $0.clicksPerMinute, $0.decisive) = (1_700, 9, 0.96)
        ($0.straightPercent, $0.flipsPerMinute, $0.hesitationsPerMinute) = (95, 1, 1)
        ($0.peaksPerMove, $0.backShare, $0.awaysPerPage) = (1.2, 0.03, 0)
        ($0.attention, $0.returns, $0.buys) = (0.92, 0.25, 0.17)
        ($0.phones, $0.leavesForm, $0.frictionPerField) = (0.35, 0.5, 0.02)
    }

    /// Wants to hear what others say.
    static let proofDriven = ordinary.with {
        ($0.name, $0.share) = ("proof-driven", 6)
        $0.ways = [
            [DemoShop.home, DemoShop.about, DemoShop.product, DemoShop.trying],
            [DemoShop.product, DemoShop.trying, DemoShop.home],
            [DemoShop.home, DemoShop.product, DemoShop.about],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (75, 3.2)
        ($0.sectionSeconds, $0.looksFor) = (0.8, ["testimonials": 24, "awards": 2])
        ($0.reads, $0.revisitsPerLookedFor, $0.awaysPerPage) = (0.55, 0.7, 0.2)
        ($0.clicksPerMinute, $0.attention, $0.returns, $0.buys) = (1.4, 0.75, 0.5, 0.045)
    }

    /// Is afraid of choosing wrong.
    static let reassurer = ordinary.with {
        ($0.name, $0.share) = ("reassurer", 5)
        $0.ways = [
            [DemoShop.home, DemoShop.pricing, DemoShop.questions, DemoShop.pricing],
            [DemoShop.pricing, DemoShop.questions, DemoShop.product, DemoShop.checkout],
            [DemoShop.product, DemoShop.questions, DemoShop.pricing],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (85, 2.6)
        ($0.sectionSeconds, $0.looksFor) = (1.2, ["guarantee": 20, "faq": 10])
        ($0.reads, $0.revisitsPerLookedFor, $0.backShare) = (0.3, 1.3, 0.3)
        ($0.hoverMilliseconds, $0.retreatsPerPage) = (2_600, 1.3)
        ($0.clicksPerMinute, $0.decisive) = (1, 0.25)
        ($0.straightPercent, $0.flipsPerMinute, $0.hesitationsPerMinute) = (74, 28, 22)
        ($0.peaksPerMove, $0.turnsBackPerPage) = (3, 0.4)
        ($0.returns, $0.buys, $0.leavesForm, $0.frictionPerField) = (0.7, 0.035, 0.45, 0.55)
    }

    /// Believes nothing.
    static let skeptic = ordinary.with {
        ($0.name, $0.share) = ("skeptic", 5.5)
        $0.ways = [
            [DemoShop.questions, DemoShop.about, DemoShop.compare, DemoShop.questions],
            [DemoShop.compare, DemoShop.questions, DemoShop.pricing, DemoShop.about],
            [DemoShop.home, DemoShop.questions, DemoShop.compare],
        ]
        ($0.sectionSeconds, $0.looksFor) = (
            0.8, ["faq": 36, "comparison": 26, "guarantee": 6, "about": 9]
        )
        ($0.reads, $0.revisitsPerLookedFor, $0.backShare) = (0.3, 0.5, 0.3)
        ($0.clicksPerMinute, $0.decisive) = (1.8, 0.22)
        ($0.straightPercent, $0.flipsPerMinute, $0.hesitationsPerMinute) = (72, 22, 16)
        ($0.awaysPerPage, $0.attention) = (3.4, 0.24)
        ($0.deadClicksPerPage, $0.turnsBackPerPage) = (1.6, 0.9)
        ($0.phones, $0.returns, $0.buys, $0.frictionPerField) = (0.25, 0.6, 0.012, 0.4)
    }

    /// Compares every figure.
    static let optimizer = ordinary.with {
        ($0.name, $0.share) = ("optimizer", 5.5)
        $0.ways = [
            [DemoShop.lamps, DemoShop.compare, DemoShop.product, DemoShop.pricing],
            [DemoShop.compare, DemoShop.product, DemoShop.compare, DemoShop.pricing],
            [DemoShop.product, DemoShop.compare, DemoShop.lamps],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (60, 2.6)
        ($0.sectionSeconds, $0.looksFor) = (1.2, ["specs": 20, "comparison": 18, "pricing": 9])
        ($0.reads, $0.revisitsPerLookedFor) = (0.5, 1.3)
        ($0.clicksPerMinute, $0.keyActionsPerPage, $0.awaysPerPage) = (2.4, 2, 0.8)
        ($0.phones, $0.attention, $0.returns, $0.buys) = (0.15, 0.66, 0.9, 0.07)
    }

    /// Asks who says so.
    static let authoritySeeker = ordinary.with {
        ($0.name, $0.share) = ("authority-seeker", 3.5)
        $0.ways = [
            [DemoShop.home, DemoShop.about, DemoShop.home], [DemoShop.about, DemoShop.home],
            [DemoShop.home, DemoShop.about, DemoShop.product],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (90, 2.4)
        ($0.sectionSeconds, $0.looksFor) = (0.8, ["awards": 34, "about": 28])
        ($0.reads, $0.clicksPerMinute, $0.decisive) = (0.4, 1.2, 0.7)
        ($0.attention, $0.returns, $0.buys) = (0.72, 0.4, 0.04)
    }

    /// Wants to feel it.
    static let experienceFirst = ordinary.with {
        ($0.name, $0.share) = ("experience-first", 4.5)
        $0.ways = [
            [DemoShop.home, DemoShop.product, DemoShop.trying, DemoShop.product],
            [DemoShop.trying, DemoShop.product, DemoShop.lamps],
            [DemoShop.product, DemoShop.trying],
        ]
        ($0.scrollPixelsPerSecond, $0.pausesPerMinute) = (270, 1.6)
        ($0.sectionSeconds, $0.looksFor) = (2.2, ["gallery": 24, "demo": 26])
        ($0.reads, $0.clicksPerMinute, $0.gesturesPerPage) = (0.06, 5.5, 3.6)
        ($0.attention, $0.phones, $0.returns, $0.buys) = (0.82, 0.82, 0.4, 0.04)
    }
}
