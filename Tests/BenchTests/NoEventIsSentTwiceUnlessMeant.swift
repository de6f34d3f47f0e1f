import BenchLoad
import Testing

@Suite struct NoEventIsSentTwiceUnlessMeant {
    private static let run = RunIdentity(seed: 3, startedAtEpochMilliseconds: 1_790_000_000_000)

    @Test func eventNumbersOfAVisitorGoUpWithoutGapOrRepeat() throws {
        let load = try Load.real()
        var population = Population(load: load, count: 5_000, watchedCount: 500, run: Self.run)
        var next = [UInt32](repeating: 1, count: 5_000)
        var batches = [UInt32](repeating: 1, count: 5_000)
        for turn in 0..<40_000 {
            let recipe =
                turn % 50 == 0
                ? population.nextWatchedRecipe(nowEpochMilliseconds: 0)
                : population.nextRecipe(nowEpochMilliseconds: 0)
            let visitor = Int(recipe.visitor)
            #expect(recipe.firstEvent == next[visitor])
            #expect(recipe.number == batches[visitor])
            next[visitor] += UInt32(recipe.eventCount)
            batches[visitor] += 1
        }
    }

    @Test func aVisitorsTurnComesOnlyAfterEverybodyElses() throws {
        let load = try Load.plain()
        var population = Population(load: load, count: 4_100, watchedCount: 100, run: Self.run)
        var seen = Set<UInt32>()
        for _ in 0..<4_000 {
            let recipe = population.nextRecipe(nowEpochMilliseconds: 0)
            #expect(recipe.visitor >= 100)
            #expect(seen.insert(recipe.visitor).inserted)
        }
    }

    @Test func idsOfVisitorsAndBatchesDiffer() throws {
        let load = try Load.plain()
        var population = Population(load: load, count: 4_100, watchedCount: 100, run: Self.run)
        var texts = Set<String>()
        for visitor in UInt32(0)..<4_100 {
            #expect(texts.insert(Self.run.device(visitor).text).inserted)
            #expect(texts.insert(Self.run.session(visitor).text).inserted)
            #expect(texts.insert(Self.run.window(visitor).text).inserted)
        }
        for _ in 0..<4_000 {
            let recipe = population.nextRecipe(nowEpochMilliseconds: 5)
            #expect(texts.insert(Self.run.batch(recipe).text).inserted)
        }
    }

    @Test func aSecondRunMeetsTheSameDevicesInNewWindows() {
        let later = RunIdentity(seed: 3, startedAtEpochMilliseconds: 1_790_000_000_001)
        #expect(later.device(9) == Self.run.device(9))
        #expect(later.window(9) != Self.run.window(9))
        #expect(later.session(9) != Self.run.session(9))
    }

    @Test func idsAreVersionSevenAndCarryTheirTime() {
        let id = Identifier(epochMilliseconds: 0x0123_4567_89ab, number: 42)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var bits: [UInt8] = []
        for letter in id.text {
            let value = letters.firstIndex(of: letter) ?? 0
            for shift in stride(from: 5, through: 0, by: -1) {
                bits.append(UInt8(value >> shift & 1))
            }
        }
        let number = { (range: Range<Int>) in bits[range].reduce(0) { $0 << 1 | Int($1) } }
        #expect(number(0..<48) == 0x0123_4567_89ab)
        #expect(number(48..<52) == 7)
        #expect(number(64..<66) == 2)
        #expect(number(128..<132) == 0)
    }

    @Test func aboutTwoInAHundredAreRepeatsOfWhatWasAcknowledged() throws {
        let load = try Load.plain()
        var population = Population(load: load, count: 5_000, watchedCount: 100, run: Self.run)
        var repeats = Repeats(oneIn: 50, seed: 1)
        #expect(repeats.next() == nil)
        var acknowledged = Set<UInt64>()
        var repeated = 0
        for _ in 0..<50_000 {
            if let again = repeats.next() {
                repeated += 1
                #expect(acknowledged.contains(again.identity))
            }
            let recipe = population.nextRecipe(nowEpochMilliseconds: 0)
            acknowledged.insert(recipe.identity)
            repeats.acknowledged(recipe)
        }
        #expect((800...1_200).contains(repeated))
    }
}
