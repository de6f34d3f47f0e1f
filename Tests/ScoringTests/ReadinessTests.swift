// Goal: readiness is what section 2.1 of the signal specification promises.
// Method: the score of nothing, of everything positive and of everything negative; persona visits
// folded from events as the SDK sends them, compared with each other and with the persona table.

import Glibc
import Records
import Scoring
import Settings
import TestSupport
import Testing

struct ReadinessTests {
    /// Readiness of signal values given by hand.
    private func readiness(_ value: (Signal) -> Double) -> Double {
        var logOdds = Scenes.file.intercept
        for (signal, rule) in zip(Signal.allCases, Scenes.file.signals) {
            logOdds += rule.weight * value(signal)
        }
        return 100 / (1 + exp(-logOdds))
    }

    private func weight(_ signal: Signal) -> Double {
        Scenes.file.signals[Int(signal.rawValue)].weight
    }

    @Test func weightsGiveTheSpecifiedEnds() {
        #expect(abs(readiness { _ in 0 } - 5.7) < 0.05)
        #expect(abs(readiness { weight($0) > 0 ? 1 : 0 } - 99.8) < 0.05)
        #expect(abs(readiness { weight($0) < 0 ? 1 : 0 } - 0.1) < 0.05)
        let whole = Signal.allCases.reduce(0) { $0 + abs(weight($1)) }
        #expect(abs(whole - 13.55) < 1e-9)
    }

    @Test func nobodyKnownScoresTheIntercept() throws {
        var fold = PartitionFold(model: Scenes.model)
        let record = Scenes.record([TestEvent(.identify, at: Scenes.noon)])
        let effect = try #require(Scenes.apply(record, to: &fold))
        #expect(abs(effect.history.reading.score - 5.73) < 0.01)
        #expect(effect.history.reading.band == .cold)
        #expect(effect.history.reason == .first)
        #expect(effect.keepsHistory)
    }

    @Test func personasComeInTheirOrder() {
        let bounce = Persona.bounce.score
        let reader = Persona.reader.score
        let checkout = Persona.checkout.score
        let abandoner = Persona.abandoner.score
        let frustrated = Persona.frustrated.score
        print(
            "personas: bounce \(bounce), reader \(reader), checkout \(checkout),",
            "abandoner \(abandoner), frustrated \(frustrated)"
        )
        #expect(bounce < 15)
        #expect(reader > 20 && reader < 60)
        #expect(checkout > 80)
        #expect(abandoner > reader && abandoner < checkout)
        #expect(frustrated < reader)
    }

    @Test func termsAddUpToTheScore() {
        let state = Scenes.state(Persona.checkout.fold)
        let time = Persona.checkout.end
        let terms = state.terms(at: time, Scenes.model)
        var logOdds = Scenes.file.intercept
        for index in 0..<27 { logOdds += terms[index].contribution }
        let score = state.reading(at: time, Scenes.model).score
        #expect(abs(100 / (1 + exp(-logOdds)) - score) < 1e-9)
        for index in 0..<27 { #expect(terms[index].value >= 0 && terms[index].value <= 1) }
    }

    @Test func scoreDecaysWithoutAWriteAndSoDoesItsCopy() {
        let fold = Persona.checkout.fold
        let state = Scenes.state(fold)
        var before = 101.0
        for day in 1...60 {
            let time = Persona.checkout.end + Int64(day) * 86_400_000
            let score = state.reading(at: time, Scenes.model).score
            #expect(score < before)
            #expect(abs(score - fold.reading(of: 0, at: time).score) < 1e-12)
            before = score
        }
        #expect(before < 8)
    }
}

/// Visits as the SDK would tell them.
enum Persona {
    case bounce, reader, checkout, abandoner, frustrated

    static let start = Scenes.noon

    var end: Int64 { Self.start + 20 * 60_000 }

    var score: Double { Scenes.state(fold).reading(at: end, Scenes.model).score }

    var fold: PartitionFold {
        Scenes.fold(
            events.enumerated().map { number, event in
                Scenes.record([event], receivedAt: event.occurredAt, offset: UInt64(number + 1))
            }
        )
    }

    private func at(_ seconds: Int64) -> Int64 { end - 20 * 60_000 + seconds * 1000 }

    private func view(_ seconds: Int64, _ path: String) -> TestEvent {
        TestEvent(.pageView, at: at(seconds), #"{"u":"https://shop.example\#(path)"}"#)
    }

    private func summary(_ seconds: Int64, _ fields: String) -> TestEvent {
        TestEvent(.pageSummary, at: at(seconds), "{\"q\":1,\(fields)}")
    }

    private var reading: [TestEvent] {
        [
            view(0, "/"),
            summary(
                60,
                #""vz":[60000,60000,55000,0,0,0,0,60000],"sc":[1500,2000,300,60,5,3,1,80],"#
                    + #""S":[[0,"",1,15000,100,60,0,0],[1,"testimonials",2,18000,90,80,0,1],"#
                    + #"[2,"specs",1,16000,100,90,1,0]],"rd":[30000,58000,0,0,100,49000],"#
                    + #""ck":[2,2,1,0,0,0,4000,500],"pt":[55000,80,3,2,0,0,0,0]"#
            ),
            view(70, "/product/7"),
            summary(
                170,
                #""vz":[100000,100000,80000,0,0,0,0,100000],"sc":[2000,2500,280,90,7,2,1,90],"#
                    + #""S":[[0,"gallery",1,25000,100,10,1,0],[1,"guarantee",1,15000,90,70,0,0],"#
                    + #"[2,"specs",2,28000,100,120,1,1]],"rd":[38000,60000,0,0,100,52000],"#
                    + #""ck":[3,3,2,0,0,0,6000,500],"pt":[80000,90,3,3,0,0,0,0]"#
            ),
        ]
    }

    private var wanting: [TestEvent] {
        reading + [
            view(180, "/pricing"),
            summary(
                240,
                #""vz":[60000,60000,50000,0,0,0,0,60000],"S":[[0,"pricing",2,30000,100,50,2,1]],"#
                    + #""ck":[3,3,3,0,0,0,5000,500],"ct":[[0,2500,2,1,0,0]],"pt":[50000,95,2,3,0,0,0,0]"#
            ),
            TestEvent(.click, at: at(241), #"{"a":"Add to cart","f":1}"#),
            view(245, "/checkout"),
            TestEvent(
                .form,
                at: at(260),
                #"{"f":"checkout","ph":1,"cp":20,"sb":0,"ff":[["name",400,3000,12,0,0,0]]}"#
            ),
            TestEvent(
                .form,
                at: at(300),
                #"{"f":"checkout","ph":2,"cp":90,"sb":0,"ff":[["mail",500,4000,20,0,0,0]]}"#
            ),
        ]
    }

    var events: [TestEvent] {
        switch self {
        case .bounce:
            return [
                view(0, "/"),
                summary(5, #""vz":[5000,5000,4000,0,0,0,0,5000],"pt":[4000,30,1,0,0,0,0,0]"#),
            ]
        case .reader: return reading
        case .checkout: return wanting
        case .abandoner:
            return wanting + [
                TestEvent(.form, at: at(400), #"{"f":"checkout","ph":4,"cp":90,"sb":0}"#),
                TestEvent(.navigation, at: at(405), #"{"ty":"u","fr":"/checkout","dw":3000}"#),
                TestEvent(.navigation, at: at(420), #"{"ty":"l","fr":"/pricing","dw":9000}"#),
            ]
        case .frustrated:
            return reading + [
                summary(
                    300,
                    #""vz":[60000,60000,50000,0,0,0,3,60000],"sc":[22000,9000,5000,9000,0,0,9,90],"#
                        + #""ck":[20,12,0,3,4,2,900,100],"ct":[[0,1500,3,0,0,2]]"#
                ),
                TestEvent(.navigation, at: at(310), #"{"ty":"u","fr":"/a","dw":3000}"#),
                TestEvent(.navigation, at: at(320), #"{"ty":"l","fr":"/b","dw":3000}"#),
            ]
        }
    }
}
