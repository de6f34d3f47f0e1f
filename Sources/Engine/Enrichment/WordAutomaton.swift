import Bytes

/// Finds many words in one pass over a text (Aho and Corasick 1975), without regard to ASCII case.
///
/// Built once, then never changed, so every thread may read it. The transition table is complete:
/// a byte of text costs two look-ups, whatever the number of words.
struct WordAutomaton: Sendable {
    /// A word to be found.
    struct Word {
        /// Its bytes, in lower case.
        let bytes: [UInt8]
        /// What must stand before and behind it.
        let edges: Edges
    }

    /// What must stand around a word.
    struct Edges: OptionSet, Sendable {
        let rawValue: UInt8
        /// The text begins with it.
        static let textStart = Edges(rawValue: 1)
        /// The text ends with it.
        static let textEnd = Edges(rawValue: 2)
        /// No letter or digit stands before it.
        static let wordStart = Edges(rawValue: 4)
        /// No letter or digit stands behind it.
        static let wordEnd = Edges(rawValue: 8)
    }

    /// Where a word was found.
    struct Match {
        /// Its index among the words.
        let word: Int
        /// Where it begins.
        let start: Int
        /// The byte behind it.
        let end: Int
    }

    /// Of a byte, which column of the table it has; 0 for bytes that no word contains.
    private let columns: [UInt8]
    private let columnCount: Int
    /// The state after `state` and a column, at `state * columnCount + column`.
    private let next: [UInt16]
    /// Of a state, the first word that ends there; `none` when there is none.
    private let firstEnding: [UInt16]
    /// Of a word, another that ends in the same place: the chain's next link.
    private let alsoEnding: [UInt16]
    private let lengths: [UInt8]
    private let edges: [Edges]

    private static let none = UInt16.max
    /// States are numbered with 16 bits, and the last number says that there is none.
    static let statesMaximum = Int(UInt16.max) - 1

    init(_ words: [Word]) {
        let trie = Trie(words)
        columns = trie.columns
        columnCount = trie.columnCount
        (next, firstEnding, alsoEnding) = trie.complete()
        lengths = words.map { UInt8(truncatingIfNeeded: $0.bytes.count) }
        edges = words.map(\.edges)
    }

    /// Calls `found` with every occurrence whose edges fit, in the order of their ends.
    @inline(__always)
    func scan(_ text: ByteView, _ found: (Match) -> Void) {
        var state = 0
        for index in 0..<text.count {
            let column = Int(columns[Int(asciiLowercase(text[index]))])
            state = Int(next[state &* columnCount &+ column])
            var word = firstEnding[state]
            while word != Self.none {
                let match = Match(
                    word: Int(word),
                    start: index &+ 1 &- Int(lengths[Int(word)]),
                    end: index &+ 1
                )
                if fits(match, text) { found(match) }
                word = alsoEnding[Int(word)]
            }
        }
    }

    private func fits(_ match: Match, _ text: ByteView) -> Bool {
        let wanted = edges[match.word]
        if wanted.isEmpty { return true }
        if wanted.contains(.textStart), match.start > 0 { return false }
        if wanted.contains(.textEnd), match.end < text.count { return false }
        if wanted.contains(.wordStart), match.start > 0,
            text[match.start &- 1].isASCIIAlphanumeric
        {
            return false
        }
        return !wanted.contains(.wordEnd) || match.end == text.count
            || !text[match.end].isASCIIAlphanumeric
    }

    /// The automaton while it is built.
    private struct Trie {
        private(set) var columns = [UInt8](repeating: 0, count: 256)
        private(set) var columnCount = 1
        /// Like `WordAutomaton.next`, but 0 where there is no child.
        private var children: [UInt16]
        private var endings: [UInt16] = [none]
        private var sameEnding: [UInt16] = []

        init(_ words: [Word]) {
            for byte in words.flatMap(\.bytes) where columns[Int(byte)] == 0 {
                columns[Int(byte)] = UInt8(columnCount)
                columnCount += 1
            }
            children = [UInt16](repeating: 0, count: columnCount)
            for (index, word) in words.enumerated() { insert(word.bytes, UInt16(index)) }
        }

        private mutating func insert(_ bytes: [UInt8], _ word: UInt16) {
            var state = 0
            for byte in bytes {
                let slot = state * columnCount + Int(columns[Int(byte)])
                if children[slot] == 0 {
                    children[slot] = UInt16(endings.count)
                    endings.append(none)
                    children.append(contentsOf: repeatElement(0, count: columnCount))
                }
                state = Int(children[slot])
            }
            sameEnding.append(endings[state])
            endings[state] = word
        }

        /// Fills the missing transitions breadth first, each from the longest proper suffix that is
        /// a state too, and lets the words that end at that suffix end here as well.
        func complete() -> (next: [UInt16], firstEnding: [UInt16], alsoEnding: [UInt16]) {
            var next = children
            var first = endings
            var also = sameEnding
            var suffix = [Int](repeating: 0, count: endings.count)
            var queue = (1..<columnCount).map { Int(children[$0]) }.filter { $0 != 0 }
            var head = 0
            while head < queue.count {
                let state = queue[head]
                head += 1
                append(first[suffix[state]], to: state, &first, &also)
                for column in 1..<columnCount {
                    let slot = state * columnCount + column
                    let fallback = next[suffix[state] * columnCount + column]
                    if next[slot] == 0 {
                        next[slot] = fallback
                    } else {
                        suffix[Int(next[slot])] = Int(fallback)
                        queue.append(Int(next[slot]))
                    }
                }
            }
            return (next, first, also)
        }

        /// Ends the chain of `state` with the suffix's chain. A word ends in one state of its own
        /// only, so its link is free to be set once.
        private func append(
            _ chain: UInt16,
            to state: Int,
            _ first: inout [UInt16],
            _ also: inout [UInt16]
        ) {
            guard first[state] != none else {
                first[state] = chain
                return
            }
            var last = Int(first[state])
            while also[last] != none { last = Int(also[last]) }
            also[last] = chain
        }
    }
}

extension UInt8 {
    /// Whether it is an ASCII letter or digit.
    @inline(__always)
    var isASCIIAlphanumeric: Bool {
        asciiLowercase(self) &- UInt8(ascii: "a") < 26 || isASCIIDigit
    }

    /// Whether it is an ASCII digit.
    @inline(__always)
    var isASCIIDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}
