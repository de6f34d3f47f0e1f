import Bytes

// Numbers with letters in them: accounts, insurance numbers, and what was announced as an id.

extension TextScanner {
    mutating func findLetteredNumbers(_ range: Range<Int>, _ context: TextContext) {
        for index in 0..<tokens.count {
            let token = tokens[index]
            if token.kind == .word, token.range.count == 2, !isInsideWord(token) {
                findAccount(index, range, context)
                findInsurance(index, range, context)
            }
            if token.kind == .word, !isInsideWord(token) { findFormats(index, range, context) }
            if token.kind == .digits, token.range.count == 6 || token.range.count == 17 {
                findFormats(index, range, context)
            }
        }
        for cue in cues where !context.isPath || cue.end < range.upperBound {
            findAnnounced(cue, range, context)
        }
    }

    private func isInsideWord(_ token: Token) -> Bool {
        Characters.isAlphanumeric(byte(Int(token.start) - 1))
    }

    // MARK: - Accounts

    /// Two letters, two digits, as many more as the country has, and its check; announced ones need
    /// not fit.
    private mutating func findAccount(
        _ index: Int,
        _ range: Range<Int>,
        _ context: TextContext
    ) {
        let start = Int(tokens[index].start)
        guard Characters.isDigit(byte(start + 2)), Characters.isDigit(byte(start + 3)) else {
            return
        }
        let length = BankAccounts.length(byte(start), byte(start + 1))
        let announced = announced(at: start, context)
        let isAnnounced = announced.strong.has(.iban)
        guard length > 0 || isAnnounced else { return }
        let end = readLetters(start, range.upperBound, most: length > 0 ? length : 34)
        steps += end - start
        if length > 0, digits.count == length, !Characters.isAlphanumeric(byte(end)),
            BankAccounts.isValid(digits[...])
        {
            add(start..<end, .iban)
        } else if isAnnounced, digits.count >= 12 {
            add(start..<readLetters(start, range.upperBound, most: 34), .iban)
        }
    }

    /// Reads letters and digits into `digits`, capitals, over single separators; returns their end.
    private mutating func readLetters(_ start: Int, _ limit: Int, most: Int) -> Int {
        digits.removeAll(keepingCapacity: true)
        var (index, end) = (start, start)
        while index < limit, digits.count < most {
            let byte = byte(index)
            if Characters.isAlphanumeric(byte) {
                digits.append(Characters.isLower(byte) ? byte & 0xdf : byte)
                end = index + 1
            } else if index != end || !isJoint(byte) {
                break
            }
            index += 1
        }
        return end
    }

    private func isJoint(_ byte: UInt8) -> Bool {
        byte == 32 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }

    // MARK: - British insurance numbers

    /// `LL dd dd dd L` by shape, in one piece or in small letters if announced.
    private mutating func findInsurance(
        _ index: Int,
        _ range: Range<Int>,
        _ context: TextContext
    ) {
        let start = Int(tokens[index].start)
        let end = readLetters(start, range.upperBound, most: 9)
        guard digits.count == 9, !Characters.isAlphanumeric(byte(end)),
            digits[2..<8].allSatisfy(Characters.isDigit), Characters.isUpper(digits[8])
        else { return }
        let announced = announced(at: start, context).strong
        if announced.has(.ukNINO) || announced.has(.nationalID) {
            return add(start..<end, .ukNINO)
        }
        let isSpaced =
            end - start == 13 && !Characters.isAlphanumeric(byte(start + 2))
            && !Characters.isAlphanumeric(byte(start + 5))
        let isCapital = Characters.isUpper(byte(start)) && Characters.isUpper(byte(end - 1))
        if isSpaced, isCapital, "ABCD".utf8.contains(digits[8]) { add(start..<end, .ukNINO) }
    }

    // MARK: - Formats that stand for themselves

    private mutating func findFormats(
        _ index: Int,
        _ range: Range<Int>,
        _ context: TextContext
    ) {
        let start = Int(tokens[index].start)
        var end = start
        while end < range.upperBound, end - start < 19, Characters.isAlphanumeric(byte(end)) {
            end += 1
        }
        steps += end - start
        switch end - start {
        case 6: findFinnish(start, range)
        case 16:
            copyCapitals(start..<end)
            if NationalNumbers.isTaxIT(digits) { add(start..<end, .nationalID) }
        case 18:
            copyCapitals(start..<end)
            if NationalNumbers.isPersonMX(digits) || NationalNumbers.isResidentCN(digits) {
                add(start..<end, .nationalID)
            }
        case 10, 11: findMachineReadable(start)
        default: break
        }
    }

    private mutating func copyCapitals(_ range: Range<Int>) {
        digits.removeAll(keepingCapacity: true)
        for index in range {
            digits.append(Characters.isLower(byte(index)) ? byte(index) & 0xdf : byte(index))
        }
    }

    private mutating func findFinnish(_ start: Int, _ range: Range<Int>) {
        let sign = byte(start + 6)
        guard sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+"),
            start + 11 <= range.upperBound, !Characters.isAlphanumeric(byte(start + 11))
        else { return }
        copyCapitals(start..<start + 6)
        for index in start + 7..<start + 11 {
            digits.append(Characters.isLower(byte(index)) ? byte(index) & 0xdf : byte(index))
        }
        if NationalNumbers.isPersonFI(digits) { add(start..<start + 11, .nationalID) }
    }

    /// In this century the sign is a letter: `010190A123B`.
    private mutating func findMachineReadable(_ start: Int) {
        guard Characters.isLetter(byte(start + 6)), !Characters.isAlphanumeric(byte(start + 11))
        else { return }
        copyCapitals(start..<start + 6)
        for index in start + 7..<start + 11 {
            digits.append(Characters.isLower(byte(index)) ? byte(index) & 0xdf : byte(index))
        }
        if NationalNumbers.isPersonFI(digits) { add(start..<start + 11, .nationalID) }
    }

    // MARK: - Announced ids

    /// The first code of letters and digits behind an announcement of an id.
    private mutating func findAnnounced(
        _ cue: Cue,
        _ range: Range<Int>,
        _ context: TextContext
    ) {
        let strong = cue.classes.intersection(.documents)
        let weak = cue.weak.intersection(.documents)
        if strong.isEmpty, weak.isEmpty { return }
        let reach = context.isPath ? 1 : Self.cueReach
        var index = firstToken(at: cue.end)
        while index < tokens.count, Int(tokens[index].start) - cue.end <= reach {
            steps += 1
            if beginsCode(index) {
                let end = codeEnd(index, range)
                let code = Int(tokens[index].start)..<end
                if takeCode(code, strong, weak) { return }
                if tokens[index].kind == .digits { return }
            }
            index += 1
        }
    }

    func firstToken(at offset: Int) -> Int {
        var (low, high) = (0, tokens.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(tokens[middle].start) < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Digits, letters with a digit right behind, or one to three capitals.
    func beginsCode(_ index: Int) -> Bool {
        let token = tokens[index]
        if token.kind == .digits { return true }
        guard token.kind == .word, index + 1 < tokens.count else { return false }
        let gap = tokens[index + 1].start - token.end
        if gap == 0 { return tokens[index + 1].kind == .digits }
        return gap == 1 && token.isAllCapitals && token.letters <= 3
            && tokens[index + 1].kind == .digits
    }

    func codeEnd(_ index: Int, _ range: Range<Int>) -> Int {
        var (end, next) = (Int(tokens[index].end), index + 1)
        while next < tokens.count, Int(tokens[next].end) - Int(tokens[index].start) <= 40 {
            let token = tokens[next]
            let gap = Int(token.start) - end
            guard gap <= 1, gap == 0 || isCodeJoint(byte(end)) else { break }
            if gap == 1, token.kind == .word, !(token.isAllCapitals && token.letters <= 3) { break }
            end = Int(token.end)
            next += 1
        }
        // Hong Kong writes its check digit in brackets.
        let isBracketed = byte(end) == UInt8(ascii: "(") && byte(end + 2) == UInt8(ascii: ")")
        return isBracketed && Characters.isAlphanumeric(byte(end + 1)) ? end + 3 : end
    }

    private func isCodeJoint(_ byte: UInt8) -> Bool {
        isJoint(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
    }

    private mutating func takeCode(
        _ code: Range<Int>,
        _ strong: PersonalClasses,
        _ weak: PersonalClasses
    ) -> Bool {
        copyCode(code)
        let numerals = digits.reduce(0) { $0 + (Characters.isDigit($1) ? 1 : 0) }
        guard (5...24).contains(digits.count), numerals >= 2 else { return false }
        for one in [PersonalClass.nationalID, .ukNINO, .passport, .driverLicence]
        where strong.has(one) && numerals >= leastNumerals(one, code) {
            add(code, one)
            return true
        }
        if !weak.isEmpty, NationalNumbers.isValid(digits) {
            add(code, .nationalID)
            return true
        }
        return false
    }

    /// Passports and licences of some states are nearly all letters; words with a number are not.
    private func leastNumerals(_ one: PersonalClass, _ code: Range<Int>) -> Int {
        if one == .nationalID || one == .ukNINO { return 4 }
        let isCapitals = !code.contains { Characters.isLower(byte($0)) || byte($0) == 32 }
        return isCapitals && code.count >= 8 ? 2 : one == .driverLicence ? 3 : 4
    }

    mutating func copyCode(_ range: Range<Int>) {
        digits.removeAll(keepingCapacity: true)
        for index in range where Characters.isAlphanumeric(byte(index)) {
            digits.append(Characters.isLower(byte(index)) ? byte(index) & 0xdf : byte(index))
        }
    }
}

extension PersonalClasses {
    /// Numbers that stand on documents.
    static let documents: PersonalClasses = [
        PersonalClasses(.nationalID), PersonalClasses(.ukNINO), PersonalClasses(.passport),
        PersonalClasses(.driverLicence),
    ]
}
