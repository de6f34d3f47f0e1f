import TestSupport
import Testing

/// The listener walks over a beacon once when its events come last, and twice otherwise. Whichever way
/// it goes, the outcome is the same, also for text that was damaged.
struct OneWalkOrTwoTests {
    @Test func damageIsJudgedTheSameEitherWay() throws {
        var dice = Dice(seed: 20_261_121)
        var taken = 0
        let (first, second) = (RouteUnderTest(), RouteUnderTest())
        for round in 0..<10_000 {
            var text = Self.beacon(round, &dice)
            if dice.chance(0.7) { Self.damage(&text, &dice) }
            // With a member behind the events the front cannot be read alone.
            guard let last = text.lastIndex(of: UInt8(ascii: "}")) else { continue }
            let twice = text[..<last] + Array(",\"zz\":[1]".utf8) + text[last...]
            let (one, two) = (first.take(text), second.take(Array(twice)))
            #expect(Self.agree(one, two), "\(String(decoding: text, as: UTF8.self))")
            if case .slice = one { taken += 1 }
        }
        #expect(taken > 2_500, "the damage left too few beacons to compare: \(taken)")
    }

    /// Of several mistakes either walk may meet another one first.
    private static func agree(_ one: Answer, _ two: Answer) -> Bool {
        switch (one, two) {
        case (.slice(let first), .slice(let second)): return first == second
        case (.refused, .refused), (.nothing, .nothing): return true
        default: return false
        }
    }

    private static func beacon(_ round: Int, _ dice: inout Dice) -> [UInt8] {
        let events = (1...dice.roll(1...4)).map { number in
            [
                #"{"t":"cu","n":\#(number),"o":10,"name":"a","props":{"x":[1,{"y":"ü\\n"}]}}"#,
                #"{"t":"pv","n":\#(number),"o":1.5,"p":1,"u":"https://a.example/b?utm_source=c"}"#,
                #"{"t":"zz","n":\#(number)}"#, #"{"t":"ck","n":\#(number),"x":1e999}"#, "7",
            ][dice.roll(0...4)]
        }
        // A window each: what one route learns of a clock must not tell in the next round.
        let front =
            #"{"v":1,"k":"key-open","st":\#(receivedAt - 50),"mt":20,"w":"window-\#(100_000_000 + round)","c":1"#
        return Array("\(front),\"e\":[\(events.joined(separator: ","))]}".utf8)
    }

    private static func damage(_ text: inout [UInt8], _ dice: inout Dice) {
        let place = dice.roll(0...text.count - 1)
        let bytes = Array("{}[]\",:\\0e-".utf8) + [0, 0x80, 0xff, 32]
        switch dice.roll(0...3) {
        case 0: text.remove(at: place)
        case 1: text.insert(bytes[dice.roll(0...bytes.count - 1)], at: place)
        case 2: text[place] = bytes[dice.roll(0...bytes.count - 1)]
        default: text.removeSubrange(place..<min(text.count, place + dice.roll(1...20)))
        }
    }
}
