/// Telephone numbers as written by people, taken to the digits of E.164.
enum PhoneNumber {
    /// Digits of an international number; nil when the country is not known or it is none.
    ///
    /// `callingCode` is the site's for numbers that have none.
    static func digits(_ text: String, callingCode: String?) -> String? {
        let plain = TextForms.asciiDigits(TextForms.lowercased(TextForms.trimmed(text)))
        let written = withoutTrunkZero(withoutExtension(Array(plain.unicodeScalars)))
        let digits = String(String.UnicodeScalarView(written.filter(isDigit)))
        guard let number = international(digits, hasPlus: hasPlus(written), callingCode),
            (7...15).contains(number.utf8.count)
        else { return nil }
        return number
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func hasPlus(_ scalars: [Unicode.Scalar]) -> Bool {
        let first = scalars.first { isDigit($0) || $0 == "+" || $0 == "\u{ff0b}" }
        return first.map { !isDigit($0) } ?? false
    }

    /// Up to `ext`, `x` or `#` behind the first digit.
    private static func withoutExtension(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard let start = scalars.firstIndex(where: isDigit) else { return scalars }
        let end = scalars.indices[start...].first { index in
            ["x", "#"].contains(scalars[index])
                || scalars[index...].starts(with: "ext".unicodeScalars)
        }
        return Array(scalars[..<(end ?? scalars.endIndex)])
    }

    /// Without `(0)`, which is dialled within the country only.
    private static func withoutTrunkZero(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let significant = scalars.map { $0.properties.isWhitespace ? nil : $0 }
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < scalars.count {
            if significant[index] == "(",
                let close = significant[index...].firstIndex(of: ")"),
                significant[(index + 1)..<close].compactMap({ $0 }) == ["0"]
            {
                index = close
            } else {
                result.append(scalars[index])
            }
            index += 1
        }
        return result
    }

    private static func international(
        _ digits: String,
        hasPlus: Bool,
        _ callingCode: String?
    ) -> String? {
        if hasPlus || digits.hasPrefix("00") { return withoutZeros(digits) }
        if isNorthAmerican(digits) { return digits }
        guard let callingCode, !digits.isEmpty else { return nil }
        return national(digits, callingCode)
    }

    /// With `1` in front, an area code begins with 2 to 9 (North American Numbering Plan).
    private static func isNorthAmerican(_ digits: String) -> Bool {
        let bytes = Array(digits.utf8)
        return bytes.count == 11 && bytes[0] == 49 && bytes[1] >= 50
    }

    private static func withoutZeros(_ digits: String) -> String {
        String(digits.drop { $0 == "0" })
    }

    /// What is dialled before a national number. Italy's zero is part of the number.
    private static func trunk(_ callingCode: String) -> String {
        switch callingCode {
        case "1": return "1"
        case "7": return "8"
        case "36": return "06"
        case "39", "378", "379": return ""
        default: return "0"
        }
    }

    private static func national(_ digits: String, _ callingCode: String) -> String? {
        if callingCode == "1", digits.hasPrefix("011") {
            return withoutZeros(String(digits.dropFirst(3)))
        }
        let trunk = trunk(callingCode)
        if !trunk.isEmpty, digits.hasPrefix(trunk) {
            return callingCode + digits.dropFirst(trunk.utf8.count)
        }
        // Somebody wrote the calling code without its plus.
        if digits.hasPrefix(callingCode), digits.utf8.count > 10 { return digits }
        return callingCode + digits
    }
}
