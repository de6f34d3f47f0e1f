import CUtf8proc
import Glibc

/// Unicode's operations that normalisers are made of. All look at scalars: `String` compares by
/// canonical equivalence and joins scalars into characters, and a digest does neither.
enum TextForms {
    /// Normalisation form C (Unicode Standard Annex 15).
    static func composed(_ text: String) -> String { mapped(text, UTF8PROC_COMPOSE) }

    /// The letters that marks were set on, without the marks.
    static func withoutMarks(_ text: String) -> String {
        let decomposed = mapped(text, UTF8PROC_DECOMPOSE)
        return filtered(decomposed) { $0.properties.generalCategory != .nonspacingMark }
    }

    private static func mapped(_ text: String, _ form: utf8proc_option_t) -> String {
        if text.utf8.allSatisfy({ $0 < 128 }) { return text }
        var copy = text
        let made = copy.withUTF8 { bytes -> String? in
            var result: UnsafeMutablePointer<UInt8>?
            let length = utf8proc_map(
                bytes.baseAddress,
                bytes.count,
                &result,
                utf8proc_option_t(rawValue: UTF8PROC_STABLE.rawValue | form.rawValue)
            )
            defer { free(result) }
            guard length >= 0, let result else { return nil }
            return String(
                decoding: UnsafeBufferPointer(start: result, count: length),
                as: UTF8.self
            )
        }
        return made ?? text
    }

    /// Lower case without a locale, with the one rule of context that Unicode has (Standard section
    /// 3.13): a capital sigma that ends a word becomes `ς`.
    static func lowercased(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            if scalar == "\u{3a3}" {
                result.append(endsWord(scalars, index) ? "\u{3c2}" : "\u{3c3}")
            } else {
                result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(result)
    }

    private static func endsWord(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        let isIgnored = { (scalar: Unicode.Scalar) in scalar.properties.isCaseIgnorable }
        let before = scalars[..<index].last { !isIgnored($0) }
        let after = scalars[(index + 1)...].first { !isIgnored($0) }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }

    /// Without white space at both ends.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Composed, trimmed, in lower case: what all names begin with.
    static func folded(_ text: String) -> String { lowercased(trimmed(composed(text))) }

    /// The scalars that `isKept`.
    static func filtered(_ text: String, _ isKept: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter(isKept)))
    }

    /// A letter, or a mark that belongs to one: `İ` in lower case is `i` and a mark.
    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark:
            return true
        default: return false
        }
    }

    /// Letters and marks alone.
    static func letters(_ text: String) -> String { filtered(text, isLetter) }

    /// Decimal digits of every script as ASCII; all else as it is.
    static func asciiDigits(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(asciiDigit(scalar)) }
        return String(result)
    }

    private static func asciiDigit(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard scalar.properties.generalCategory == .decimalNumber,
            let value = scalar.properties.numericValue, (0...9).contains(value)
        else { return scalar }
        return Unicode.Scalar(48 + UInt8(value))
    }

    /// Whether the text is ASCII digits and not empty.
    static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }
}
