import Bytes

/// Tells in one pass whether a text can hold anything at all, so that most need no second look.
enum Prefilter {
    /// Numbers of fewer digits are nobody's without a key or a word that announces them.
    private static let digitsMinimum = 5
    /// Shorter runs of letters and digits are no secrets and hide no text.
    private static let runMinimum = 14

    /// False when the scanners have to look: something encoded, enough digits, an address' sign, a
    /// word that begins a phrase, or a long mixed run.
    static func isClean(_ text: ByteView, _ words: WordTable) -> Bool {
        var state = State()
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte | 0x20
            if lower &- 97 < 26 {
                state.letter(lower, isCapital: lower != byte)
                if state.letters == WordTable.stemLetters, words.mayBeStem(state.hash) {
                    return false
                }
                continue
            }
            if byte == UInt8(ascii: "'"), isGenitive(text, index) { continue }
            if state.letters > 0, !state.endWord(words) { return false }
            if byte &- 48 < 10 {
                state.digit()
            } else if isTrigger(byte) || !state.sign(byte) {
                return false
            }
        }
        if state.letters > 0, !state.endWord(words) { return false }
        return state.isClean
    }

    private static func isTrigger(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "%")
            || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "\\")
            || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "<")
    }

    private static func isGenitive(_ text: ByteView, _ index: Int) -> Bool {
        guard index + 1 < text.count, text[index + 1] | 0x20 == UInt8(ascii: "s") else {
            return false
        }
        return index + 2 >= text.count || !Characters.isLetter(text[index + 2])
    }

    private struct State {
        var hash = WordHash.seed
        var letters = 0
        private var digits = 0
        private var dots = 0
        private var colons = 0
        /// The run of letters and digits that goes on: its length, digits, small and capital
        /// letters.
        private var run = 0
        private var runDigits = 0
        private var runSmall = 0
        private var runCapitals = 0
        private var hasLongRun = false
        /// The last letters, for endings.
        private var tail: UInt64 = 0

        @inline(__always)
        mutating func letter(_ lower: UInt8, isCapital: Bool) {
            hash = WordHash.step(letters == 0 ? WordHash.seed : hash, UInt32(lower))
            letters += 1
            run += 1
            tail = tail << 8 | UInt64(lower)
            if isCapital { runCapitals += 1 } else { runSmall += 1 }
        }

        @inline(__always)
        mutating func digit() {
            digits += 1
            run += 1
            runDigits += 1
        }

        /// False when the word may begin or end something.
        @inline(__always)
        mutating func endWord(_ words: WordTable) -> Bool {
            let count = letters
            letters = 0
            if words.mayBegin(hash) { return false }
            guard count >= 7 else { return true }
            var ending = WordHash.seed
            var last = tail
            for _ in 0..<WordTable.endingLetters {
                ending = WordHash.step(ending, UInt32(last & 255))
                last >>= 8
            }
            return !words.mayEnd(ending)
        }

        /// Any other byte: it ends the run. False when it makes an address likely.
        @inline(__always)
        mutating func sign(_ byte: UInt8) -> Bool {
            let isMixed =
                runDigits > 0 && runCapitals + runSmall > 0 || runCapitals > 0 && runSmall > 0
            if run >= runMinimum, isMixed || runSmall == 0 { hasLongRun = true }
            (run, runDigits, runSmall, runCapitals) = (0, 0, 0, 0)
            if byte == UInt8(ascii: ".") { dots += 1 }
            if byte == UInt8(ascii: ":") { colons += 1 }
            return true
        }

        var isClean: Bool {
            mutating get {
                _ = sign(0)
                return digits < digitsMinimum && !hasLongRun && colons < 2
                    && (dots < 3 || digits < 4)
            }
        }
    }
}
