// Goal: each event feeds exactly the sums that the README names, with its weights.
// Method: one event on a fresh visitor; the sums at the event's time against figures by hand.

import Glibc
import Records
import Scoring
import TestSupport
import Testing

struct ObservationTests {
    private func sums(
        _ events: [TestEvent],
        flags: Slice.Flags = [],
        consent: Consent = .all
    ) -> (Signal) -> (sum: Double, weight: Double) {
        let state = Scenes.state(
            Scenes.fold([Scenes.record(events, consent: consent, flags: flags)])
        )
        return { state.sums(of: $0) }
    }

    private func summary(_ fields: String) -> TestEvent {
        TestEvent(.pageSummary, at: Scenes.noon, "{\(fields)}")
    }

    private func near(_ left: Double, _ right: Double) -> Bool { abs(left - right) < 1e-9 }

    @Test func scrollingAndAttention() {
        let of = sums([
            summary(
                #""vz":[40000,38000,30000,1,1,9000,2,45000],"sc":[6000,900,800,1500,7,2,3,80]"#
            )
        ])
        #expect(near(of(.scrollVelocity).sum, 6000) && near(of(.scrollVelocity).weight, 30))
        #expect(near(of(.scrollPause).sum, 7) && near(of(.scrollPause).weight, 0.5))
        #expect(near(of(.tabSwitching).sum, 2))
        #expect(near(of(.visibleAttention).sum, 30) && near(of(.visibleAttention).weight, 45))
        // Back-scroll share 0.25: 0.3 * (0.25 - 0.15) / 0.35, without the pointer's term.
        #expect(near(of(.cognitiveLoad).sum, 30 * 0.3 * (0.1 / 0.35) / 0.8))
        #expect(near(of(.cognitiveLoad).weight, 30))
        // No clicks were told, so there were none in the active half minute.
        #expect(near(of(.clickCadence).sum, 0) && near(of(.clickCadence).weight, 0.5))
        #expect(of(.clickDecisiveness).weight == 0)
    }

    @Test func elapsedTimeWithoutItsOwnElement() {
        let of = sums([summary(#""vz":[40000,38000,30000,1,1,9000,2]"#)])
        #expect(near(of(.visibleAttention).weight, 47))
    }

    @Test func sections() {
        let of = sums([
            summary(
                #""S":[[0,"pricing",1,10000,100,40,0,0],[1,"faq",3,45000,90,80,1,5],[2,"",1,20000,60,9,0,0]]"#
            )
        ])
        #expect(near(of(.viewportEngagement).sum, 60))
        #expect(near(of(.sectionRevisit).sum, 3))
        let shares = [10.0 / 60, 30.0 / 60, 20.0 / 60]
        let entropy = -shares.reduce(0) { $0 + $1 * log($1) }
        #expect(near(of(.attentionFocus).sum, 60 * (1 - entropy / log(3))))
        #expect(near(of(.attentionFocus).weight, 60))
        // Two categories of the session at half a point, told by a summary alone.
        #expect(near(of(.sessionDepth).sum, 1))
    }

    @Test func twoSectionsTellNothingAboutFocus() {
        let of = sums([summary(#""S":[[0,"",1,9000,9,9,0,0],[1,"",1,9000,9,9,0,0]]"#)])
        #expect(of(.attentionFocus).weight == 0)
    }

    @Test func readingClicksTouchKeys() {
        let of = sums([
            summary(
                #""rd":[12000,40000,0,0,0,30000],"ck":[9,6,4,1,2,3,800,300],"tp":[9,1,9,2,3,4,900,5],"#
                    + #""kb":[2,40,200,30,10,1,3,1]"#
            )
        ])
        #expect(near(of(.readingPattern).sum, 12) && near(of(.readingPattern).weight, 40))
        #expect(near(of(.clickDecisiveness).sum, 4) && near(of(.clickDecisiveness).weight, 6))
        #expect(near(of(.frustrationClicks).sum, 2 + 2 + 6))
        #expect(near(of(.touchGesture).sum, 1 + 2 + 3 + 4 + 5))
        #expect(near(of(.keyboardRhythm).sum, 2 + 1 + 3 + 1))
        #expect(of(.clickCadence).weight == 0)
    }

    @Test func callsToActionByMouseAndByTouch() {
        let rows = #""ct":[[0,9000,2,0,4000,2],[1,1500,1,1,2000,0]]"#
        let mouse = sums([summary(rows)])
        #expect(near(mouse(.ctaHover).sum, 6.5))
        #expect(near(mouse(.hesitationLoop).sum, 1))
        let touch = sums([summary(rows)], flags: [.touch])
        #expect(near(touch(.ctaHover).sum, 6.5 + 0.3 * 6))
    }

    @Test func pointerNeedsItsOwnConsent() {
        let event = summary(
            #""vz":[20000,20000,20000,0,0,0,0,20000],"mo":[100,5000,20000,80,5,30,10,35,60,1]"#
        )
        let of = sums([event])
        #expect(near(of(.cursorEfficiency).sum, 4) && near(of(.cursorEfficiency).weight, 5))
        let flips = pow(90.0, 2) / (pow(90.0, 2) + 3600)
        let pauses = pow(30.0, 2) / (pow(30.0, 2) + 625)
        #expect(
            near(of(.cursorMicroexpression).sum, 20 * (0.4 * flips + 0.3 * pauses + 0.3 * 0.5))
        )
        #expect(near(of(.cognitiveLoad).sum, 20 * 0.2 * pauses))
        let without = sums([event], consent: [.measurement, .profiling])
        #expect(near(without(.cursorEfficiency).sum, 4))
        #expect(without(.cursorMicroexpression).weight == 0)
        #expect(without(.negativeAffect).weight == 0)
        #expect(near(without(.cognitiveLoad).sum, 0))
    }

    @Test func form() {
        let of = sums([
            TestEvent(
                .form,
                at: Scenes.noon,
                #"{"f":"Checkout","ph":2,"cp":60,"ff":[["a",4000,9000,9,1,2,1],["b",100,900,9,0,0,0]]}"#
            )
        ])
        #expect(near(of(.formProgress).sum, 0.6))
        #expect(near(of(.formFriction).sum, 1 + 1.2 + 0.4 + 0.4))
        #expect(near(of(.formFriction).weight, 2))
        #expect(near(of(.intentProximity).weight, 0.85))
        let rate = 60.0 / 9
        #expect(near(of(.cognitiveLoad).weight, 9))
        #expect(near(of(.cognitiveLoad).sum, 9 * 0.25 * rate * rate / (rate * rate + 2.25)))
    }

    @Test func navigation() {
        let of = sums(
            ["u", "l", "b", "f"].map {
                TestEvent(.navigation, at: Scenes.noon, #"{"ty":"\#($0)"}"#)
            }
        )
        #expect(near(of(.hesitationLoop).sum, 2.5))
        #expect(near(of(.clickDecisiveness).sum, -1))
    }

    @Test func pagesAndStages() {
        let paths = ["/", "/pricing", "/pricing/?a=1", "/x/product-7.html#top", "/Pricing"]
        let of = sums(
            paths.map {
                TestEvent(.pageView, at: Scenes.noon, #"{"u":"https://a.example\#($0)"}"#)
            }
        )
        // Four pages (the second and third are one) and one category.
        #expect(near(of(.sessionDepth).sum, 4.5))
        #expect(near(of(.intentProximity).sum, 3 * 0.35 + 0.2))
        #expect(near(of(.intentProximity).weight, 0.35))
        #expect(near(of(.returnCadence).sum, 1))
    }

    @Test func conversionEndsTheDecision() {
        let of = sums([
            TestEvent(.custom, at: Scenes.noon, name: "begin_checkout"),
            TestEvent(.custom, at: Scenes.noon + 1, name: "PURCHASE"),
            TestEvent(.custom, at: Scenes.noon + 2, name: "view_item"),
        ])
        #expect(near(of(.intentProximity).weight, 0.2))
        #expect(near(of(.intentProximity).sum, 0.2))
    }

    @Test func clicksOnCallsToActionOnly() {
        let plain = sums([TestEvent(.click, at: Scenes.noon, #"{"a":"Add to cart","f":2}"#)])
        #expect(plain(.intentProximity).weight == 0)
        let known = sums([TestEvent(.click, at: Scenes.noon, #"{"a":"Add to cart","f":1}"#)])
        #expect(near(known(.intentProximity).weight, 0.6))
        let other = sums([TestEvent(.click, at: Scenes.noon, #"{"a":"Go","f":1}"#)])
        #expect(near(other(.intentProximity).weight, 0.65))
    }

    @Test func engagementOfPartsEqualsTheWhole() {
        let parts = sums([
            summary(#""vz":[1,1,1,0,0,0,0,1],"pt":[20000,40,1,1,0,0,0,0]"#),
            summary(#""vz":[1,1,1,0,0,0,0,1],"pt":[50000,90,3,4,20000,40,1,1]"#),
        ])
        let whole = sums([summary(#""vz":[1,1,1,0,0,0,0,1],"pt":[50000,90,3,4,0,0,0,0]"#)])
        #expect(near(parts(.engagementQuality).sum, whole(.engagementQuality).sum))
        #expect(near(parts(.engagementQuality).weight, 1))
        let expected = pow(45.0 / 55 * 0.9 * (1 - exp(-0.75)) * (1 - exp(-2.15)), 0.25)
        #expect(near(whole(.engagementQuality).sum, expected))
    }

    @Test func oddValuesCountAsNothingAndHarmNothing() {
        let of = sums([
            summary(
                #""vz":[1,null,"x",-5,2.5e1,{"a":[1]},3,[]],"S":[7,null,[0],[0,5,"a",1e400],"x"],"#
                    + #""ck":"none","ct":{},"rd":[1e300],"mo":[],"zz":[[[1]]]"#
            ),
            summary(#""vz":[10000,10000,10000,0,0,0,1,10000"#),
            TestEvent(.form, at: Scenes.noon, #"{"f":7,"ph":"x","ff":[1,[],["a"]],"cp":900}"#),
            TestEvent(.pageView, at: Scenes.noon, #"{"u":17}"#),
            TestEvent(.navigation, at: Scenes.noon, "nonsense"),
        ])
        for signal in Signal.allCases {
            #expect(of(signal).sum.isFinite && of(signal).weight.isFinite)
        }
        #expect(near(of(.formFriction).weight, 2))
        #expect(near(of(.sessionDepth).sum, 1))
    }
}
