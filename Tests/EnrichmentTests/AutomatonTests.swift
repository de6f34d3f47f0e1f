import Bytes
import TestSupport
import Testing

@testable import Enrichment

/// The automaton finds what looking for every word one by one finds.
@Suite struct AutomatonTests {
    @Test func itAgreesWithPlainSearch() {
        var dice = Dice(seed: 11)
        for _ in 0..<60 {
            let words = (0..<12).map { _ in word(&dice) }
            let automaton = WordAutomaton(words)
            for _ in 0..<20 {
                let text = (0..<30).map { _ in "abcABC-/"[dice.roll(0...7)] }
                #expect(found(automaton, text) == expected(words, text))
            }
        }
    }

    private func word(_ dice: inout Dice) -> WordAutomaton.Word {
        WordAutomaton.Word(
            bytes: (0..<1 + dice.roll(0...3)).map { _ in "abc-"[dice.roll(0...3)] },
            edges: WordAutomaton.Edges(rawValue: [0, 0, 1, 2, 4, 8, 12][dice.roll(0...6)])
        )
    }

    private struct Place: Hashable {
        let word: Int
        let start: Int
    }

    private func found(_ automaton: WordAutomaton, _ text: [UInt8]) -> Set<Place> {
        var places: Set<Place> = []
        withView(text) { view in
            automaton.scan(view) {
                #expect($0.end > $0.start)
                places.insert(Place(word: $0.word, start: $0.start))
            }
        }
        return places
    }

    private func expected(_ words: [WordAutomaton.Word], _ text: [UInt8]) -> Set<Place> {
        var places: Set<Place> = []
        let folded = text.map(asciiLowercase)
        for (index, word) in words.enumerated() {
            for start in folded.indices where folded[start...].starts(with: word.bytes) {
                let end = start + word.bytes.count
                let before = start > 0 ? text[start - 1] : UInt8(ascii: " ")
                let after = end < text.count ? text[end] : UInt8(ascii: " ")
                let edges = word.edges
                if edges.contains(.textStart), start > 0 { continue }
                if edges.contains(.textEnd), end < text.count { continue }
                if edges.contains(.wordStart), before.isASCIIAlphanumeric { continue }
                if edges.contains(.wordEnd), after.isASCIIAlphanumeric { continue }
                places.insert(Place(word: index, start: start))
            }
        }
        return places
    }
}

extension String {
    fileprivate subscript(index: Int) -> UInt8 { Array(utf8)[index] }
}
