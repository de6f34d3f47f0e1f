/// Numbers that states give to persons: what a number of a weak announcement must satisfy, and
/// which formats stand for themselves.
///
/// `letters` are the number's letters (capitals) and digits without separators.
enum NationalNumbers {
    /// Whether some country's check accepts a number of digits and letters.
    static func isValid(_ letters: [UInt8]) -> Bool {
        let digits = letters.compactMap { Characters.isDigit($0) ? $0 - 48 : nil }
        guard digits.count == letters.count else { return isValidWithLetters(letters) }
        switch digits.count {
        case 8: return false
        case 9: return isValid9(digits)
        case 10: return isValid10(digits)
        case 11: return isValid11(digits)
        case 12: return isValid12(digits)
        case 13: return isValid13(digits)
        case 15: return isSocialSecurityFR(digits)
        case 18: return isResidentCN(letters)
        default: return false
        }
    }

    // MARK: - By length

    private static func isValid9(_ digits: [UInt8]) -> Bool {
        isServiceNL(digits) || CheckDigits.luhn(digits) || isTaxPT(digits) || isTaxAU(digits)
            || isBirthNumberCZ(digits) || isRutCL(digits.map { $0 + 48 })
    }

    private static func isValid10(_ digits: [UInt8]) -> Bool {
        isHealthGB(digits) || isPersonSE(digits) || isSocialAT(digits) || isBirthNumberCZ(digits)
            || isPersonDK(digits) || isPersonBG(digits)
    }

    private static func isValid11(_ digits: [UInt8]) -> Bool {
        isTaxDE(digits) || isNationalBE(digits) || isPersonPL(digits) || isPersonNO(digits)
            || isTaxBR(digits) || isTaxAR(digits) || isPersonTR(digits) || isInsuranceRU(digits)
            || isHealthGR(digits) || isPersonBaltic(digits) || CheckDigits.mod11and10(digits)
    }

    private static func isValid12(_ digits: [UInt8]) -> Bool {
        CheckDigits.verhoeff(digits) || isPersonJP(digits) || isTaxRU(digits)
            || isPersonSE(Array(digits.dropFirst(2)))
    }

    private static func isValid13(_ digits: [UInt8]) -> Bool {
        isPensionCH(digits) || isPersonRO(digits) || isResidentKR(digits)
            || CheckDigits.luhn(digits) || isCitizenTH(digits) || isPersonYU(digits)
    }

    private static func isValidWithLetters(_ letters: [UInt8]) -> Bool {
        switch letters.count {
        case 8, 9:
            return isPersonES(letters) || isPersonSG(letters) || isRutCL(letters)
                || isInsuranceGB(letters)
        case 10: return isAccountIN(letters) || isPersonTW(letters)
        case 16: return isTaxIT(letters)
        case 18: return isPersonMX(letters) || isResidentCN(letters)
        default: return false
        }
    }

    // MARK: - Countries

    static func isServiceNL(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) - Int(digits[8])
        return sum % 11 == 0
    }

    static func isTaxPT(_ digits: [UInt8]) -> Bool {
        let rest = CheckDigits.weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
        return Int(digits[8]) == (rest < 2 ? 0 : 11 - rest)
    }

    static func isTaxAU(_ digits: [UInt8]) -> Bool {
        CheckDigits.weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 == 0
    }

    /// Months of women are 50 higher, and 20 or 70 once a day's numbers were used up.
    static func isBirthNumberCZ(_ digits: [UInt8]) -> Bool {
        let month = Int(digits[2]) * 10 + Int(digits[3])
        let day = Int(digits[4]) * 10 + Int(digits[5])
        guard [0, 20, 50, 70].contains(where: { (1...12).contains(month - $0) }),
            (1...31).contains(day)
        else { return false }
        return digits.count == 9 || CheckDigits.remainder(digits[...], 11) == 0
            || CheckDigits.remainder(digits[..<9], 11) % 10 == Int(digits[9])
    }

    static func isHealthGB(_ digits: [UInt8]) -> Bool {
        let rest = 11 - CheckDigits.weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
        return rest % 11 == Int(digits[9])
    }

    /// Days of coordination numbers are 60 higher.
    static func isPersonSE(_ digits: [UInt8]) -> Bool {
        let day = Int(digits[4]) * 10 + Int(digits[5])
        return isMonth(digits[2], digits[3]) && (1...31).contains(day > 60 ? day - 60 : day)
            && CheckDigits.luhn(digits)
    }

    static func isSocialAT(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6])
        return sum % 11 == Int(digits[3])
    }

    static func isPersonDK(_ digits: [UInt8]) -> Bool {
        isDay(digits[0], digits[1]) && isMonth(digits[2], digits[3])
    }

    static func isPersonBG(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6])
        return sum % 11 % 10 == Int(digits[9])
    }

    static func isTaxDE(_ digits: [UInt8]) -> Bool {
        digits[0] != 0 && CheckDigits.mod11and10(digits)
    }

    static func isNationalBE(_ digits: [UInt8]) -> Bool {
        let check = Int(digits[9]) * 10 + Int(digits[10])
        let number = digits[..<9].reduce(0) { $0 * 10 + Int($1) }
        return check == 97 - number % 97 || check == 97 - (2_000_000_000 + number) % 97
    }

    static func isPersonPL(_ digits: [UInt8]) -> Bool {
        CheckDigits.weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0
    }

    static func isPersonNO(_ digits: [UInt8]) -> Bool {
        CheckDigits.weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 == 0
            && CheckDigits.weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    }

    static func isTaxBR(_ digits: [UInt8]) -> Bool {
        let first = CheckDigits.weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
        let second = CheckDigits.weighted(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
        return first == Int(digits[9]) && second == Int(digits[10])
    }

    static func isTaxAR(_ digits: [UInt8]) -> Bool {
        CheckDigits.weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 == 0
    }

    static func isPersonTR(_ digits: [UInt8]) -> Bool {
        guard digits[0] != 0 else { return false }
        let odd = CheckDigits.weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1])
        let even = CheckDigits.weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1])
        let sum = digits[..<10].reduce(0) { $0 + Int($1) }
        return (odd * 7 - even + 100) % 10 == Int(digits[9]) && sum % 10 == Int(digits[10])
    }

    static func isInsuranceRU(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1])
        return sum % 101 % 100 == Int(digits[9]) * 10 + Int(digits[10])
    }

    static func isHealthGR(_ digits: [UInt8]) -> Bool {
        isDay(digits[0], digits[1]) && isMonth(digits[2], digits[3]) && CheckDigits.luhn(digits)
    }

    /// Estonia and Lithuania.
    static func isPersonBaltic(_ digits: [UInt8]) -> Bool {
        var check = CheckDigits.weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
        if check == 10 {
            check = CheckDigits.weighted(digits, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11
        }
        return check % 10 == Int(digits[10]) && isMonth(digits[3], digits[4])
    }

    static func isPersonJP(_ digits: [UInt8]) -> Bool {
        let rest = CheckDigits.weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        return Int(digits[11]) == (rest <= 1 ? 0 : 11 - rest)
    }

    static func isTaxRU(_ digits: [UInt8]) -> Bool {
        CheckDigits.weighted(digits, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == Int(digits[10])
            && CheckDigits.weighted(digits, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10
                == Int(digits[11])
    }

    static func isPensionCH(_ digits: [UInt8]) -> Bool {
        digits.starts(with: [7, 5, 6])
            && CheckDigits.weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 == 0
    }

    static func isPersonRO(_ digits: [UInt8]) -> Bool {
        let rest = CheckDigits.weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
        return isMonth(digits[3], digits[4]) && Int(digits[12]) == (rest == 10 ? 1 : rest)
    }

    /// Since October 2020 the last digits are random, so only the date is held.
    static func isResidentKR(_ digits: [UInt8]) -> Bool {
        isMonth(digits[2], digits[3]) && isDay(digits[4], digits[5])
    }

    static func isCitizenTH(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
        return (11 - sum % 11) % 10 == Int(digits[12])
    }

    static func isPersonYU(_ digits: [UInt8]) -> Bool {
        let sum = CheckDigits.weighted(digits, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        return (11 - sum % 11) % 11 % 10 == Int(digits[12]) && isDay(digits[0], digits[1])
    }

    static func isSocialSecurityFR(_ digits: [UInt8]) -> Bool {
        let check = Int(digits[13]) * 10 + Int(digits[14])
        return check == 97 - CheckDigits.remainder(digits[..<13], 97)
    }

    // MARK: - With letters

    static func isPersonES(_ letters: [UInt8]) -> Bool {
        guard letters.count == 9, let last = letters.last, Characters.isUpper(last) else {
            return false
        }
        var number = 0
        for (index, byte) in letters.dropLast().enumerated() {
            if index == 0, byte >= UInt8(ascii: "X"), byte <= UInt8(ascii: "Z") {
                number = Int(byte - UInt8(ascii: "X"))
            } else if Characters.isDigit(byte) {
                number = number * 10 + Int(byte - 48)
            } else {
                return false
            }
        }
        return Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)[number % 23] == last
    }

    /// A letter, seven digits, a letter; the check is not held.
    static func isPersonSG(_ letters: [UInt8]) -> Bool {
        letters.count == 9 && "STFGM".utf8.contains(letters[0])
            && letters[1..<8].allSatisfy(Characters.isDigit) && Characters.isUpper(letters[8])
    }

    static func isInsuranceGB(_ letters: [UInt8]) -> Bool {
        letters.count == 9 && Characters.isUpper(letters[0]) && Characters.isUpper(letters[1])
            && letters[2..<8].allSatisfy(Characters.isDigit) && "ABCD".utf8.contains(letters[8])
    }

    static func isRutCL(_ letters: [UInt8]) -> Bool {
        guard let last = letters.last, letters.dropLast().allSatisfy(Characters.isDigit) else {
            return false
        }
        var (sum, weight) = (0, 2)
        for byte in letters.dropLast().reversed() {
            sum += Int(byte - 48) * weight
            weight = weight == 7 ? 2 : weight + 1
        }
        let check = 11 - sum % 11
        return last == UInt8(ascii: "K") ? check == 10 : check % 11 == Int(last &- 48)
    }

    static func isAccountIN(_ letters: [UInt8]) -> Bool {
        letters.count == 10 && letters[..<5].allSatisfy(Characters.isUpper)
            && letters[5..<9].allSatisfy(Characters.isDigit) && Characters.isUpper(letters[9])
    }

    static func isPersonTW(_ letters: [UInt8]) -> Bool {
        letters.count == 10 && Characters.isUpper(letters[0])
            && letters[1...].allSatisfy(Characters.isDigit)
            && (letters[1] == 49 || letters[1] == 50 || letters[1] == 56 || letters[1] == 57)
    }

    /// Digits may be written as letters where two persons would share a code.
    static func isTaxIT(_ letters: [UInt8]) -> Bool {
        guard letters.count == 16 else { return false }
        for index in 0..<16 {
            let wantsDigit = [6, 7, 9, 10, 12, 13, 14].contains(index)
            let fits =
                wantsDigit
                ? Characters.isDigit(letters[index]) || "LMNPQRSTUV".utf8.contains(letters[index])
                : Characters.isUpper(letters[index])
            if !fits { return false }
        }
        var sum = 0
        for index in 0..<15 {
            let byte = letters[index]
            let value = Int(Characters.isDigit(byte) ? byte - 48 : byte - 65)
            sum += index & 1 == 0 ? oddPlaces[value] : value
        }
        return Int(letters[15] - 65) == sum % 26
    }

    private static let oddPlaces = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ]

    static func isPersonMX(_ letters: [UInt8]) -> Bool {
        guard letters.count == 18, letters[..<4].allSatisfy(Characters.isUpper),
            letters[4..<10].allSatisfy(Characters.isDigit), Characters.isDigit(letters[17]),
            letters[10..<16].allSatisfy(Characters.isUpper)
        else { return false }
        var sum = 0
        for index in 0..<17 {
            let byte = letters[index]
            let letter = byte > UInt8(ascii: "N") ? Int(byte) - 54 : Int(byte) - 55
            sum += (Characters.isDigit(byte) ? Int(byte - 48) : letter) * (18 - index)
        }
        return (10 - sum % 10) % 10 == Int(letters[17] - 48)
    }

    /// ISO 7064 mod 11-2 and a date: one random number in eleven passes the former alone.
    static func isResidentCN(_ letters: [UInt8]) -> Bool {
        guard letters.count == 18, letters[..<17].allSatisfy(Characters.isDigit) else {
            return false
        }
        let digits = letters[..<17].map { $0 - 48 }
        let year = digits[6..<10].reduce(0) { $0 * 10 + Int($1) }
        guard (1800...2099).contains(year), isMonth(digits[10], digits[11]),
            isDay(digits[12], digits[13])
        else { return false }
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let check = CheckDigits.weighted(digits, weights) % 11
        return Array("10X98765432".utf8)[check] == letters[17] & 0xdf
            || Array("10X98765432".utf8)[check] == letters[17]
    }

    /// `ddmmyy`, a sign for the century, three digits and a letter.
    static func isPersonFI(_ letters: [UInt8]) -> Bool {
        guard letters.count == 10 else { return false }
        let digits = letters[..<9].map { $0 &- 48 }
        guard digits.allSatisfy({ $0 < 10 }), isDay(digits[0], digits[1]),
            isMonth(digits[2], digits[3])
        else { return false }
        let number = CheckDigits.remainder(digits[...], 31)
        return Array("0123456789ABCDEFHJKLMNPRSTUVWXY".utf8)[number] == letters[9]
    }

    private static func isMonth(_ tens: UInt8, _ ones: UInt8) -> Bool {
        (1...12).contains(tens * 10 + ones)
    }

    private static func isDay(_ tens: UInt8, _ ones: UInt8) -> Bool {
        (1...31).contains(tens * 10 + ones)
    }
}
