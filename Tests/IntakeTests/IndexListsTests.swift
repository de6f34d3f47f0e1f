import TestSupport
import Testing

@testable import Intake

/// The lists agree with the simplest thing that does the same.
@Suite struct IndexListsTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func anyOrderOfCallsAgreesWithArrays(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        var lists = IndexLists(count: 4)
        lists.reserve(12)
        var model = [[UInt32]](repeating: [], count: 4)
        for _ in 0..<2_000 {
            let index = UInt32(dice.roll(0...11))
            for list in 0..<4 { model[list].removeAll { $0 == index } }
            if dice.roll(0...3) == 0 {
                lists.remove(index)
            } else {
                let list = dice.roll(0...3)
                lists.append(index, to: list)
                model[list].append(index)
            }
            #expect((0..<4).map { lists.first(of: $0) } == model.map(\.first))
            #expect(lists.list(of: index) == model.firstIndex { $0.contains(index) })
        }
        // Taken off one by one, every list shows its whole order.
        for list in 0..<4 {
            for expected in model[list] {
                #expect(lists.first(of: list) == expected)
                lists.remove(expected)
            }
            #expect(lists.first(of: list) == nil)
        }
    }

    @Test func sizesFallIntoTheListOfTheirPower() {
        #expect(ConnectionList.holding(511) == nil)
        #expect(ConnectionList.holding(512) == 1)
        #expect(ConnectionList.holding(1_023) == 1)
        #expect(ConnectionList.holding(1_024) == 2)
        #expect(ConnectionList.holding(.max) == ConnectionList.count - 1)
        #expect(Array(ConnectionList.holding).first == ConnectionList.count - 1)
        #expect(Array(ConnectionList.holding).last == 1)
    }
}
