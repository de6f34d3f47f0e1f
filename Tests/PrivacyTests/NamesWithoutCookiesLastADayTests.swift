import Bytes
import Privacy
import Synchronization
import TestSupport
import Testing

@Suite("Names without cookies last a day")
struct NamesWithoutCookiesLastADayTests {
    private static let day: Int64 = 86_400_000
    private static let noon: Int64 = 20_000 * day + day / 2

    /// Makes names as a listener does.
    private struct Maker: ~Copyable {
        var names: CookielessNames

        init(_ salts: CookielessSalts) { names = CookielessNames(salts) }

        mutating func name(
            _ address: [UInt8] = [203, 0, 113, 7],
            agent: String = "Browser/1",
            language: String = "de",
            site: String = "shop",
            at time: Int64,
            isCoarse: Bool = false
        ) -> String {
            var buffer = ByteBuffer(capacity: 64)
            withView(address) { address in
                withView(agent) { agent in
                    withView(language) { language in
                        withView(site) { site in
                            var machine = CookielessNames.Machine()
                            machine.address = address
                            machine.userAgent = agent
                            machine.language = language
                            machine.isCoarse = isCoarse
                            names.append(machine, site: site, at: time, into: &buffer)
                        }
                    }
                }
            }
            return buffer.view.text
        }
    }

    @Test("the same within a day, for every listener")
    func sameWithinADay() {
        let salts = CookielessSalts()
        var first = Maker(salts)
        var second = Maker(salts)
        let name = first.name(at: Self.noon)
        #expect(name.count == 32 && name.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect(first.name(at: Self.noon + Self.day / 3) == name)
        #expect(second.name(at: Self.noon - Self.day / 3) == name)
    }

    @Test("another site, address, browser or language is another visitor")
    func othersDiffer() {
        var maker = Maker(CookielessSalts())
        let names = [
            maker.name(at: Self.noon), maker.name(site: "blog", at: Self.noon),
            maker.name([203, 0, 113, 8], at: Self.noon),
            maker.name(agent: "Browser/2", at: Self.noon),
            maker.name(language: "fr", at: Self.noon),
        ]
        #expect(Set(names).count == 5)
        let coarse = [7, 8].map { maker.name([203, 0, 113, $0], at: Self.noon, isCoarse: true) }
        #expect(coarse[0] == coarse[1])
        #expect(maker.name([203, 0, 114, 7], at: Self.noon, isCoarse: true) != coarse[0])
    }

    @Test("two days cannot be linked, and no salt comes again")
    func daysCannotBeLinked() {
        var maker = Maker(CookielessSalts())
        let names = (0..<20).map { maker.name(at: Self.noon + Int64($0) * Self.day) }
        #expect(Set(names).count == 20)
        var other = Maker(CookielessSalts())
        #expect(other.name(at: Self.noon) != names[0])
    }

    @Test("a visit over midnight keeps its name until it pauses for half an hour")
    func visitsOverMidnight() {
        var maker = Maker(CookielessSalts())
        let midnight = 20_001 * Self.day
        let minute: Int64 = 60_000
        let name = maker.name(at: midnight - minute)
        let stranger = maker.name([198, 51, 100, 1], at: midnight - 40 * minute)
        #expect(maker.name(at: midnight + 5 * minute) == name)
        #expect(maker.name(at: midnight + 30 * minute) == name)
        #expect(maker.name(at: midnight + 59 * minute) == name)
        #expect(maker.name([198, 51, 100, 1], at: midnight + minute) != stranger)
        let later = maker.name(at: midnight + 100 * minute)
        #expect(later != name)
        #expect(maker.name(at: midnight + 101 * minute) == later)
    }

    @Test("salts go on after a restart; without their file visitors are split once")
    func saltsSurvive() throws {
        let kept = Mutex<[UInt8]>([])
        let salts = CookielessSalts { pair in kept.withLock { $0 = pair.bytes } }
        var maker = Maker(salts)
        let name = maker.name(at: Self.noon)
        let pair = try #require(withView(kept.withLock { $0 }) { CookielessSalts.Pair($0) })
        var again = Maker(CookielessSalts(pair))
        #expect(again.name(at: Self.noon) == name)
        var lost = Maker(CookielessSalts())
        let split = lost.name(at: Self.noon)
        #expect(split != name && lost.name(at: Self.noon + 1) == split)
    }

    @Test("a salt is gone once two midnights passed, and a day that was missed leaves none")
    func saltsAreDestroyed() {
        let salts = CookielessSalts()
        let first = salts.pair(day: 10)
        let second = salts.pair(day: 11)
        #expect(second.yesterday == first.today && second.today != first.today)
        #expect(salts.pair(day: 10) == second)
        let third = salts.pair(day: 12)
        #expect(third.today != first.today && third.yesterday != first.today)
        #expect(salts.pair(day: 20).yesterday == [])
    }

    @Test("a damaged file is no pair of salts")
    func damage() {
        let bytes = CookielessSalts().pair(day: 3).bytes
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(withView(damaged) { CookielessSalts.Pair($0) } == nil)
        }
        #expect(withView(Array(bytes.dropLast())) { CookielessSalts.Pair($0) } == nil)
        #expect(withView([]) { CookielessSalts.Pair($0) } == nil)
    }
}
