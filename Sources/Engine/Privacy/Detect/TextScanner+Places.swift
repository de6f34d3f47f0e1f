import Bytes

// Internet addresses and positions on earth.

extension TextScanner {
    // MARK: - Internet addresses

    mutating func findInternetAddresses(_ range: Range<Int>, _ context: TextContext) {
        if context.key.isVersion { return }
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = byte(index)
            if Characters.isDigit(byte), !Characters.isAlphanumeric(self.byte(index - 1)) {
                let end = quadEnd(index, range.upperBound)
                if end > 0, isQuadAlone(index, end) {
                    add(index..<end, .ipAddress)
                    index = end
                    continue
                }
            }
            if isHexOrColon(byte), !isHexOrColon(self.byte(index - 1)) || index == range.lowerBound
            {
                index = findVersion6(index, range)
            } else {
                index += 1
            }
        }
    }

    /// The end of four decimal octets; 0 when there are none.
    private func quadEnd(_ start: Int, _ limit: Int) -> Int {
        var (index, octets) = (start, 0)
        while octets < 4 {
            var (value, length) = (0, 0)
            while index < limit, Characters.isDigit(byte(index)), length < 4 {
                value = value * 10 + Int(byte(index) - 48)
                index += 1
                length += 1
            }
            guard length > 0, length < 4, value <= 255 else { return 0 }
            octets += 1
            if octets < 4 {
                guard index < limit, byte(index) == UInt8(ascii: ".") else { return 0 }
                index += 1
            }
        }
        return index
    }

    /// No fifth number, no letter, and no product with a slash before it: `Chrome/126.0.0.0`.
    private func isQuadAlone(_ start: Int, _ end: Int) -> Bool {
        let (before, behind) = (byte(start - 1), byte(end))
        if Characters.isAlphanumeric(behind) || behind == UInt8(ascii: "_") { return false }
        if behind == UInt8(ascii: "."), Characters.isDigit(byte(end + 1)) { return false }
        if before == UInt8(ascii: "."), Characters.isDigit(byte(start - 2)) { return false }
        if before == UInt8(ascii: "-"), Characters.isAlphanumeric(byte(start - 2)) { return false }
        if before == UInt8(ascii: "/"), Characters.isLetter(byte(start - 2)) {
            return !isProduct(start - 2)
        }
        return !isVersionBefore(start)
    }

    /// A capital letter begins the word before the slash.
    private func isProduct(_ end: Int) -> Bool {
        var index = end
        while Characters.isLetter(byte(index - 1)) { index -= 1 }
        return Characters.isUpper(byte(index))
    }

    /// `version 1.2.3.4`, `v. 1.2.3.4`.
    private func isVersionBefore(_ start: Int) -> Bool {
        var end = start - 1
        while end > 0, byte(end) == 32 || byte(end) == UInt8(ascii: ".") || byte(end) == 58 {
            end -= 1
        }
        var first = end
        while first >= 0, Characters.isLetter(byte(first)) { first -= 1 }
        var hash = WordHash()
        for index in first + 1..<max(first + 1, end + 1) {
            _ = hash.add(folded: UInt32(byte(index)))
        }
        return end - first > 0 && words.single(hash.value)?.roles.contains(.version) ?? false
    }

    private func isHexOrColon(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || Characters.hexadecimal(byte) < 16
    }

    /// RFC 4291 section 2.2: up to eight groups of hexadecimal digits, one run of zeros as `::`,
    /// the last two maybe as an address of version 4. Returns where to go on.
    private mutating func findVersion6(_ start: Int, _ range: Range<Int>) -> Int {
        var (end, colons, groups, digits, gaps, tooLong) = (start, 0, 0, 0, 0, false)
        while end < range.upperBound, isHexOrColon(byte(end)) {
            if byte(end) == UInt8(ascii: ":") {
                colons += 1
                if byte(end + 1) == UInt8(ascii: ":") { gaps += 1 }
                digits = 0
            } else {
                if digits == 0 { groups += 1 }
                digits += 1
                if digits > 4 { tooLong = true }
            }
            end += 1
        }
        steps += end - start
        var address = end
        if colons >= 2, byte(end) == UInt8(ascii: "."), gaps == 1 || groups == 7 {
            var quad = end
            while quad > start, byte(quad - 1) != UInt8(ascii: ":") { quad -= 1 }
            address = max(end, quadEnd(quad, range.upperBound))
        }
        while address > start, byte(address - 1) == UInt8(ascii: ":"), byte(address - 2) != 58 {
            address -= 1
        }
        let isWhole = gaps == 1 && groups >= 1 && groups <= 7 && colons <= 7 || groups == 8
        guard colons >= 2, isWhole, !tooLong, !isLetterBefore(start),
            !Characters.isAlphanumeric(byte(address)),
            gaps == 1 && groups >= 2 || groups == 8
                || address > end
        else { return max(end, start + 1) }
        add(start..<address, .ipAddress)
        return max(end, address)
    }

    private func isLetterBefore(_ start: Int) -> Bool {
        Characters.isAlphanumeric(byte(start - 1)) || byte(start - 1) == UInt8(ascii: "_")
    }

    // MARK: - Positions

    /// A number with decimal places.
    private struct Decimal {
        var range: Range<Int>
        var magnitude: Int
        var places: Int
    }

    mutating func findPositions(_ range: Range<Int>, _ context: TextContext) {
        var index = range.lowerBound
        while index < range.upperBound {
            guard beginsDecimal(index, range), let first = decimal(index, range) else {
                index += 1
                continue
            }
            steps += first.range.count
            index = first.range.upperBound
            if let second = partner(of: first, range) {
                if isPosition(first, second, range, context) {
                    add(first.range.lowerBound..<second.range.upperBound, .geo)
                    index = second.range.upperBound
                }
            } else if first.places >= 3, first.magnitude <= 180, isAnnouncedPosition(first, context)
            {
                add(first.range, .geo)
            }
        }
    }

    private func beginsDecimal(_ index: Int, _ range: Range<Int>) -> Bool {
        let first = byte(index)
        guard Characters.isDigit(first) || first == UInt8(ascii: "-") else { return false }
        let before = index > range.lowerBound ? byte(index - 1) : 0
        return !Characters.isAlphanumeric(before) && before != UInt8(ascii: ".")
    }

    private func decimal(_ start: Int, _ range: Range<Int>) -> Decimal? {
        var index = start
        if byte(index) == UInt8(ascii: "-") { index += 1 }
        var (magnitude, length) = (0, 0)
        while index < range.upperBound, Characters.isDigit(byte(index)), length < 4 {
            magnitude = magnitude * 10 + Int(byte(index) - 48)
            index += 1
            length += 1
        }
        guard length > 0, length < 4, index + 1 < range.upperBound,
            byte(index) == UInt8(ascii: "."), Characters.isDigit(byte(index + 1))
        else { return nil }
        let point = index
        index += 1
        while index < range.upperBound, Characters.isDigit(byte(index)) { index += 1 }
        guard byte(index) != UInt8(ascii: ".") || !Characters.isDigit(byte(index + 1)) else {
            return nil
        }
        return Decimal(range: start..<index, magnitude: magnitude, places: index - point - 1)
    }

    /// The decimal behind a comma, a semicolon, a space or a plus.
    private func partner(of first: Decimal, _ range: Range<Int>) -> Decimal? {
        var index = first.range.upperBound
        var skipped = 0
        while index < range.upperBound, skipped < 4, isPairSeparator(byte(index)) {
            index += 1
            skipped += 1
        }
        guard skipped > 0, index < range.upperBound,
            Characters.isDigit(byte(index)) || byte(index) == UInt8(ascii: "-")
        else { return nil }
        return decimal(index, range)
    }

    private func isPairSeparator(_ byte: UInt8) -> Bool {
        byte == 32 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
            || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == 0xc2
            || byte == 0xb0 || byte == UInt8(ascii: "|")
    }

    private func isPosition(
        _ first: Decimal,
        _ second: Decimal,
        _ range: Range<Int>,
        _ context: TextContext
    ) -> Bool {
        guard first.places >= 3 || second.places >= 3,
            first.magnitude <= 90 && second.magnitude <= 180
                || first.magnitude <= 180 && second.magnitude <= 90
        else { return false }
        return isAnnouncedPosition(first, context)
    }

    /// By a key, a word before it, `geo:`, `@` in the address of a map, or `POINT(`.
    private func isAnnouncedPosition(_ first: Decimal, _ context: TextContext) -> Bool {
        let start = first.range.lowerBound
        let before = byte(start - 1)
        if before == UInt8(ascii: "@"), !Characters.isAlphanumeric(byte(start - 2)) { return true }
        if before == UInt8(ascii: ":"), equalsFolded("geo", at: start - 4) { return true }
        if before == UInt8(ascii: "("),
            equalsFolded("point", at: start - 6)
                || equalsFolded("point ", at: start - 7)
        {
            return true
        }
        let announced = announced(at: start, context)
        return announced.strong.has(.geo) || announced.weak.has(.geo)
    }
}
