/// Check digits of numbers, over digit values or letters as the scheme says.
enum CheckDigits {
    /// ISO/IEC 7812-1, annex B.
    static func luhn(_ digits: some Sequence<UInt8> & BidirectionalCollection<UInt8>) -> Bool {
        var (sum, place) = (0, 0)
        for digit in digits.reversed() {
            let doubled = Int(digit) * 2
            sum += place & 1 == 0 ? Int(digit) : doubled > 9 ? doubled - 9 : doubled
            place += 1
        }
        return sum % 10 == 0
    }

    /// The sum of digits times weights; digits beyond the weights do not count.
    static func weighted(_ digits: [UInt8], _ weights: [Int], from start: Int = 0) -> Int {
        var sum = 0
        for index in weights.indices where start + index < digits.count {
            sum += Int(digits[start + index]) * weights[index]
        }
        return sum
    }

    /// The number that digits write, modulo `modulus`.
    static func remainder(_ digits: ArraySlice<UInt8>, _ modulus: Int) -> Int {
        digits.reduce(0) { ($0 * 10 + Int($1)) % modulus }
    }

    /// Verhoeff's scheme over the dihedral group of ten elements.
    static func verhoeff(_ digits: [UInt8]) -> Bool {
        var check = 0
        for (place, digit) in digits.reversed().enumerated() {
            check = product(check, permuted(Int(digit), place % 8))
        }
        return check == 0
    }

    private static func product(_ left: Int, _ right: Int) -> Int {
        switch (left < 5, right < 5) {
        case (true, true): return (left + right) % 5
        case (true, false): return (left + right - 5) % 5 + 5
        case (false, true): return (left - 5 - right + 5) % 5 + 5
        case (false, false): return (left - right + 5) % 5
        }
    }

    private static let permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

    private static func permuted(_ digit: Int, _ times: Int) -> Int {
        var result = digit
        for _ in 0..<times { result = permutation[result] }
        return result
    }

    /// ISO 7064, mod 11,10.
    static func mod11and10(_ digits: [UInt8]) -> Bool {
        var product = 10
        for digit in digits.dropLast() {
            var sum = (Int(digit) + product) % 10
            if sum == 0 { sum = 10 }
            product = sum * 2 % 11
        }
        return digits.last.map { (product + Int($0)) % 10 == 1 } ?? false
    }
}

/// Payment cards by their first digits and lengths (ISO/IEC 7812).
enum CardNumbers {
    /// Whether some issuer gives out numbers that begin and end like this one.
    static func isIssued(_ digits: [UInt8]) -> Bool {
        guard digits.count >= 12 else { return false }
        let front = digits.prefix(4).reduce(0) { $0 * 10 + Int($1) }
        return fits(front, digits.count)
    }

    private static func fits(_ front: Int, _ count: Int) -> Bool {
        switch front {
        case 4000...4999: return count == 16 || count == 19 || count == 13
        case 3400...3499, 3700...3799: return count == 15
        case 5100...5599, 2221...2720: return count == 16
        case 2200...2204: return (16...19).contains(count)
        case 3528...3589: return (16...19).contains(count)
        case 3000...3059, 3095, 3600...3699, 3800...3999: return (14...19).contains(count)
        case 6011, 6440...6599, 6200...6299: return (16...19).contains(count)
        case 5000...5099, 5600...5899, 6000...6999: return (16...19).contains(count)
        default: return false
        }
    }

    static func isValid(_ digits: [UInt8]) -> Bool {
        isIssued(digits) && CheckDigits.luhn(digits)
    }
}

/// Lengths of international bank account numbers by country (the registry of ISO 13616).
enum BankAccounts {
    private static let lengths = """
        AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 \
        DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 \
        IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 \
        MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
        SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 DZ26 \
        AO25 BF28 BJ28 CF27 CG27 CI28 CM27 CV25 GA27 GQ27 GW25 IR26 KM27 MA28 MG27 ML28 MZ25 NE28 \
        SN28 TD27 TG28
        """

    private static let byCountry: [UInt8] = {
        var table = Array(repeating: UInt8(0), count: 26 * 26)
        for entry in lengths.split(separator: " ") {
            let bytes = Array(entry.utf8)
            table[Int(bytes[0] - 65) * 26 + Int(bytes[1] - 65)] =
                (bytes[2] - 48) * 10 + bytes[3] - 48
        }
        return table
    }()

    /// The length for a country's two letters in either case; 0 for none.
    static func length(_ first: UInt8, _ second: UInt8) -> Int {
        let (row, column) = ((first | 0x20) &- 97, (second | 0x20) &- 97)
        guard row < 26, column < 26 else { return 0 }
        return Int(byCountry[Int(row) * 26 + Int(column)])
    }

    /// ISO 7064 mod 97-10 over the number with its first four characters moved to the end.
    static func isValid(_ letters: ArraySlice<UInt8>) -> Bool {
        guard letters.count > 4 else { return false }
        var remainder = 0
        let split = letters.startIndex + 4
        for byte in letters[split...] + letters[..<split] {
            if Characters.isDigit(byte) {
                remainder = (remainder * 10 + Int(byte - 48)) % 97
            } else {
                remainder = (remainder * 100 + Int((byte | 0x20) - 87)) % 97
            }
        }
        return remainder == 1
    }
}
