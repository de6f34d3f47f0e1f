import Bytes

// Whole values under telling keys, and text that may be base64.

extension TextScanner {
    /// Counts of what a value is made of.
    private struct Makeup {
        var digits = 0
        var letters = 0
        var capitals = 0
        var small = 0
        var signs = 0
        var spaces = 0

        var alphanumerics: Int { digits + letters }
    }

    mutating func findWholeValue(_ range: Range<Int>, _ context: TextContext) {
        let range = trimmed(range)
        guard !range.isEmpty, context.place != .propertyName, !isToken(range) else { return }
        if isCommon(range) { return }
        let makeup = makeup(range)
        steps += range.count
        if let one = wholeClass(range, makeup, context) { add(range, one) }
    }

    private func makeup(_ range: Range<Int>) -> Makeup {
        var makeup = Makeup()
        for index in range {
            let byte = byte(index)
            if Characters.isDigit(byte) {
                makeup.digits += 1
            } else if Characters.isLetter(byte) {
                makeup.letters += 1
                if Characters.isUpper(byte) { makeup.capitals += 1 } else { makeup.small += 1 }
            } else if byte >= 0x80 {
                makeup.letters += byte & 0xc0 == 0x80 ? 0 : 1
            } else if byte == 32 || byte == UInt8(ascii: "+") {
                makeup.spaces += 1
            } else {
                makeup.signs += 1
            }
        }
        return makeup
    }

    private mutating func wholeClass(
        _ range: Range<Int>,
        _ makeup: Makeup,
        _ context: TextContext
    ) -> PersonalClass? {
        let key = context.key
        if let one = secret(range, makeup, key) { return one }
        if let one = number(range, makeup, key) { return one }
        if let one = health(range, makeup, key) { return one }
        if isName(range, makeup, key) { return .personName }
        if isAddress(range, makeup, key) { return .streetAddress }
        return nil
    }

    /// Whether a value says nothing: yes, none, default.
    private func isCommon(_ range: Range<Int>) -> Bool {
        var index = firstToken(at: range.lowerBound)
        guard index < tokens.count, tokens[index].kind != .digits else { return false }
        if tokens[index].range == range, tokens[index].letters == 1, !tokens[index].isCaseless {
            return true
        }
        while index < tokens.count, tokens[index].start < range.upperBound {
            guard let (phrase, count) = phrase(at: index), phrase.roles.contains(.commonValue)
            else {
                return false
            }
            index += count
        }
        return true
    }

    // MARK: - Secrets

    private func secret(
        _ range: Range<Int>,
        _ makeup: Makeup,
        _ key: KeyMeaning
    ) -> PersonalClass? {
        if key.isPin, makeup.letters == 0, (3...10).contains(makeup.digits) { return .credential }
        if key.isPin, range.count >= 4, makeup.digits > 0, makeup.spaces == 0 { return .credential }
        let isMixed =
            makeup.digits > 0 && makeup.letters > 0 || makeup.capitals > 1 && makeup.small > 0
            || makeup.signs > 0 && makeup.letters > 0
        if key.classes.has(.credential) {
            return makeup.alphanumerics >= 4 || range.count >= 6 ? .credential : nil
        }
        guard key.weak.has(.credential), makeup.spaces <= 1 || range.count >= 24 else { return nil }
        if range.count >= 8, isMixed, makeup.digits > 0 || range.count >= 16 { return .credential }
        return range.count >= 16 && makeup.letters == 0 && makeup.digits >= 16 ? .credential : nil
    }

    // MARK: - Numbers

    /// Under a key of a number anything like one counts.
    private mutating func number(
        _ range: Range<Int>,
        _ makeup: Makeup,
        _ key: KeyMeaning
    ) -> PersonalClass? {
        if isFound(range),
            found.contains(where: { $0.start <= range.lowerBound && $0.end >= range.upperBound })
        {
            return nil
        }
        let isCode = (4...34).contains(makeup.alphanumerics) && makeup.signs <= 6
        for one in Self.numberClasses where key.classes.has(one) {
            let least = one == .driverLicence || one == .passport ? 2 : 4
            if isCode, makeup.digits >= least, makeup.small <= 24, makeup.letters <= 20 {
                return one
            }
        }
        if key.weak.has(.nationalID), isCode, makeup.digits >= 5 {
            copyCode(range)
            if NationalNumbers.isValid(digits) { return .nationalID }
        }
        if key.classes.has(.card), makeup.digits >= 12, makeup.letters <= 2 { return .card }
        if key.classes.has(.iban), makeup.digits >= 6, isCode { return .iban }
        if key.classes.has(.phone), (6...20).contains(makeup.digits), makeup.letters <= 8,
            !isDecimal(range, makeup)
        {
            return .phone
        }
        return nil
    }

    private func isDecimal(_ range: Range<Int>, _ makeup: Makeup) -> Bool {
        guard makeup.signs == 1, makeup.letters == 0, makeup.spaces == 0 else { return false }
        for index in range where byte(index) == UInt8(ascii: ".") {
            return range.upperBound - index <= 3
        }
        return false
    }

    private static let numberClasses: [PersonalClass] = [
        .usSSN, .usITIN, .usEIN, .ukNINO, .nationalID, .passport, .driverLicence,
    ]

    // MARK: - Health, names, addresses

    private func health(
        _ range: Range<Int>,
        _ makeup: Makeup,
        _ key: KeyMeaning
    ) -> PersonalClass? {
        guard key.has(.health) else { return nil }
        if diseaseCode(at: range.lowerBound, range)?.upperBound == range.upperBound {
            return .health
        }
        if key.isDiseaseCode { return nil }
        if key.classes.has(.health) {
            return makeup.letters >= 2 || makeup.digits >= 3 ? .health : nil
        }
        return makeup.letters >= 4 && !key.isThing ? .health : nil
    }

    private func isName(_ range: Range<Int>, _ makeup: Makeup, _ key: KeyMeaning) -> Bool {
        guard key.has(.personName), makeup.letters >= 2 || makeup.letters == 1 && makeup.small == 0,
            makeup.digits * 3 <= makeup.letters, range.count <= 120
        else { return false }
        if key.classes.has(.personName) { return makeup.signs <= 8 }
        if key.isThing { return false }
        let first = firstToken(at: range.lowerBound)
        guard first < tokens.count else { return false }
        return tokens[first].isCapitalised || tokens[first].isCaseless
    }

    private func isAddress(_ range: Range<Int>, _ makeup: Makeup, _ key: KeyMeaning) -> Bool {
        guard key.has(.streetAddress), makeup.letters >= 2, range.count <= 300 else { return false }
        if key.isThing { return false }
        let isStreet = hasStreetWord(range)
        if key.classes.has(.streetAddress) {
            return makeup.digits > 0 || isStreet || makeup.spaces > 0 && makeup.capitals > 1
                || tokens.count > 0 && tokens[firstToken(at: range.lowerBound)].isCaseless
        }
        return makeup.digits > 0 && isStreet
    }

    // MARK: - Encoded text

    /// Tokens that may be base64 of a text: long, of both cases or padded.
    mutating func findEncoded(_ range: Range<Int>, _ context: TextContext) {
        var index = range.lowerBound
        while index < range.upperBound, encoded.count < Self.encodedMaximum {
            var end = index
            while end < range.upperBound, isEncoded(byte(end)) { end += 1 }
            while end < range.upperBound, end > index, byte(end) == UInt8(ascii: "=") { end += 1 }
            if end - index >= 16, end - index <= 2048, !isCovered(index..<end) {
                encoded.append(index..<end)
            }
            index = max(end, index + 1)
        }
    }

    /// Whether one find has the whole of it. What lies within it may be chance: in letters and digits
    /// at random many a number is right.
    private func isCovered(_ range: Range<Int>) -> Bool {
        found.contains { $0.start <= range.lowerBound && $0.end >= range.upperBound }
    }

    private func isEncoded(_ byte: UInt8) -> Bool {
        Characters.isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
