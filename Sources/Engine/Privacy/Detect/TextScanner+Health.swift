import Bytes

// What words alone did not decide: ambiguous words beside words of patients, and codes of diseases.

extension TextScanner {
    mutating func findHealth(_ range: Range<Int>, _ context: TextContext) {
        if !unsure.isEmpty { takeUnsure(context) }
        for end in diseaseCues { findDiseaseCode(behind: end, range) }
        findWrittenDates(range, context)
    }

    /// Words that may mean an illness do so near a word of patients, on either side.
    private mutating func takeUnsure(_ context: TextContext) {
        let isHealthKey = context.key.has(.health)
        for word in unsure {
            let isNear = healthCues.contains { cue in
                cue != word && cue.lowerBound - word.upperBound <= Self.cueReach
                    && word.lowerBound - cue.upperBound <= Self.cueReach
            }
            steps += healthCues.count
            if isNear || isHealthKey { add(word, .health) }
        }
    }

    /// A code of the tenth revision: a letter, a digit, a digit or letter, and up to four more
    /// behind a dot.
    private mutating func findDiseaseCode(behind end: Int, _ range: Range<Int>) {
        var index = firstToken(at: end)
        while index < tokens.count, Int(tokens[index].start) - end <= 24 {
            steps += 1
            if let code = diseaseCode(at: Int(tokens[index].start), range) {
                return add(code, .health)
            }
            index += 1
        }
    }

    func diseaseCode(at start: Int, _ range: Range<Int>) -> Range<Int>? {
        guard start + 3 <= range.upperBound, Characters.isLetter(byte(start)),
            !Characters.isAlphanumeric(byte(start - 1)) || start == range.lowerBound,
            Characters.isDigit(byte(start + 1)), Characters.isAlphanumeric(byte(start + 2)),
            Self.hasCategory(byte(start), byte(start + 1), byte(start + 2))
        else { return nil }
        var end = start + 3
        if end < range.upperBound, byte(end) == UInt8(ascii: ".") {
            var next = end + 1
            while next < range.upperBound, next - end <= 4, Characters.isAlphanumeric(byte(next)) {
                next += 1
            }
            if next > end + 1 { end = next }
        } else {
            while end < range.upperBound, end - start < 7, Characters.isDigit(byte(end)) {
                end += 1
            }
        }
        return end < range.upperBound && Characters.isAlphanumeric(byte(end)) ? nil : start..<end
    }

    /// Whether the classification has a category of these three characters. Letters in the third
    /// place are few.
    private static func hasCategory(_ letter: UInt8, _ tens: UInt8, _ ones: UInt8) -> Bool {
        if Characters.isDigit(ones) {
            let number = (tens - 48) * 10 + ones - 48
            guard let last = lastCategories[Int((letter | 0x20) - 97)] else { return true }
            return number <= last
        }
        switch (letter & 0xdf, tens, ones & 0xdf) {
        case (67, 52, 65), (67, 55, 65), (67, 55, 66), (68, 51, 65), (77, 49, 65), (79, 57, 65),
            (90, 51, 65), (83, _, _), (84, _, _):
            return true
        default: return false
        }
    }

    /// The last category of a letter that ends before 99.
    private static let lastCategories: [UInt8?] = [
        nil, nil, nil, 89, 89, nil, nil, 95, nil, nil, 95, nil, nil, nil, nil, 96, nil, nil, nil,
        nil,
        85, nil, nil, nil, nil, nil,
    ]
}
