import Bytes
import Privacy

/// How often the detector agrees with labels, by class.
///
/// A labelled span counts as found when all its letters and digits are covered, half of them where
/// no two people would draw the same limits; a find counts as right when it touches a labelled
/// span.
struct PrivacyAccuracy {
    private struct Count {
        var labelled = 0
        var found = 0
        var finds = 0
        var right = 0
    }

    private var counts = Array(repeating: Count(), count: PersonalClass.allCases.count)
    private var cleanRows = 0
    private var touchedRows = 0

    /// Takes a row's labels, an array of spans; what is wrong with them, or nil.
    mutating func take(_ label: ByteView, _ spans: [PersonalSpan], _ text: ByteView) -> String? {
        let labels: [PersonalSpan]
        do throws(JSONError) {
            labels = try Self.read(label)
        } catch {
            return "spans, byte \(error.offset + 1): \(error.reason)"
        }
        guard labels.allSatisfy({ $0.start >= 0 && $0.end >= $0.start && $0.end <= text.count })
        else { return "a labelled span is outside the text" }
        if labels.isEmpty {
            cleanRows += 1
            if !spans.isEmpty { touchedRows += 1 }
        }
        for wanted in labels {
            let index = Int(wanted.personalClass.rawValue)
            counts[index].labelled += 1
            if Self.isCovered(wanted, spans, text) { counts[index].found += 1 }
        }
        for span in spans {
            let index = Int(span.personalClass.rawValue)
            counts[index].finds += 1
            if labels.contains(where: { $0.start < span.end && span.start < $0.end }) {
                counts[index].right += 1
            }
        }
        return nil
    }

    private static func isCovered(
        _ wanted: PersonalSpan,
        _ spans: [PersonalSpan],
        _ text: ByteView
    ) -> Bool {
        var (all, covered) = (0, 0)
        for index in wanted.start..<wanted.end where isLetterOrDigit(text[index]) {
            all += 1
            if spans.contains(where: { $0.start <= index && index < $0.end }) { covered += 1 }
        }
        switch wanted.personalClass {
        case .personName, .streetAddress, .health, .birthDate, .geo:
            return covered * 2 >= all && covered > 0
        default: return covered == all && all > 0
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte >= 0x80
    }

    private static func read(_ array: ByteView) throws(JSONError) -> [PersonalSpan] {
        var cursor = JSONCursor(array)
        var (first, spans): (Bool, [PersonalSpan]) = (true, [])
        try cursor.beginArray()
        while try cursor.nextElement(&first) {
            var span = PersonalSpan(start: 0, end: 0, personalClass: .unscanned)
            var isFirst = true
            try cursor.beginObject()
            while let key = try cursor.nextKey(&isFirst) {
                let value = try cursor.skip()
                if key.equals("bstart") { span.start = value.decimal ?? 0 }
                if key.equals("bend") { span.end = value.decimal ?? 0 }
                if key.equals("class"), value.count > 2 {
                    let name = value[1..<value.count - 1]
                    span.personalClass =
                        PersonalClass.allCases.first { name.equals($0.name) } ?? .unscanned
                }
            }
            spans.append(span)
        }
        return spans
    }

    /// The table that `--accuracy` prints.
    var table: String {
        var lines = [Self.line("class", "labelled", "recall", "precision")]
        var sum = Count()
        for one in PersonalClass.allCases {
            let count = counts[Int(one.rawValue)]
            guard count.labelled > 0 || count.finds > 0 else { continue }
            sum.labelled += count.labelled
            sum.found += count.found
            lines.append(
                Self.line(
                    "\(one.name)",
                    "\(count.labelled)",
                    Self.percent(count.found, count.labelled),
                    Self.percent(count.right, count.finds)
                )
            )
        }
        let social = counts[Int(PersonalClass.usSSN.rawValue)]
        let health = counts[Int(PersonalClass.health.rawValue)]
        lines.append("overall recall      \(Self.percent(sum.found, sum.labelled))")
        lines.append("us_ssn missed       \(social.labelled - social.found)")
        lines.append("health missed       \(health.labelled - health.found)")
        let share = Self.percent(touchedRows, cleanRows)
        lines.append("clean rows touched  \(touchedRows) of \(cleanRows), \(share)")
        return lines.joined(separator: "\n")
    }

    private static func line(_ cells: String...) -> String {
        let padded = cells.map { $0 + String(repeating: " ", count: max(1, 16 - $0.count)) }
        return padded.joined()
    }

    private static func percent(_ part: Int, _ whole: Int) -> String {
        guard whole > 0 else { return "-" }
        let hundredths = (part * 10_000 + whole / 2) / whole
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
    }
}
