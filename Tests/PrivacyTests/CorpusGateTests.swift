// Goal: the labelled corpus is found: 98 % overall, all of health and social security, and at most 1 % of
// clean rows are touched. The corpus lies beside the repository; without it the test says so.

import Bytes
import Foundation
import TestSupport
import Testing

@testable import Privacy

@Suite struct CorpusGateTests {
    private struct Row: Decodable {
        struct Span: Decodable {
            var bstart: Int
            var bend: Int
            var `class`: String
        }

        var `where`: String
        var key: String?
        var text: String
        var spans: [Span]
    }

    private static let corpus = SharedData.file("pii_dev.jsonl")
    private static var isThere: Bool { SharedData.exists(corpus) }

    /// Names, addresses, health, dates and positions have no limits that two people would draw alike.
    private static let loose: Set<String> = [
        "person_name", "street_address", "health", "dob", "geo",
    ]

    private func isCovered(_ wanted: Row.Span, _ found: [PersonalSpan], _ bytes: [UInt8]) -> Bool {
        let letters = (wanted.bstart..<wanted.bend).filter { index in
            Characters.isAlphanumeric(bytes[index]) || bytes[index] >= 0x80
        }
        let covered = letters.filter { index in
            found.contains { $0.start <= index && index < $0.end }
        }
        if Self.loose.contains(wanted.class) { return covered.count * 2 >= letters.count }
        return covered.count == letters.count
    }

    @Test(.enabled(if: isThere, "the labelled corpus is not beside this clone"))
    func corpusIsFound() throws {
        let lines = try String(contentsOf: Self.corpus, encoding: .utf8).split(separator: "\n")
        var detector = Detector()
        var (labelled, found, clean, touched, grave) = (0, 0, 0, 0, 0)
        for line in lines {
            let row = try JSONDecoder().decode(Row.self, from: Data(line.utf8))
            let place = try #require(TextPlace.allCases.first { "\($0.name)" == row.where })
            let bytes = Array(row.text.utf8)
            withView(bytes) { text in
                withView(row.key ?? "") { key in _ = detector.scan(text, at: place, key: key) }
            }
            if row.spans.isEmpty {
                clean += 1
                if !detector.spans.isEmpty { touched += 1 }
            }
            for wanted in row.spans {
                labelled += 1
                if isCovered(wanted, detector.spans, bytes) {
                    found += 1
                } else if wanted.class == "us_ssn" || wanted.class == "health" {
                    grave += 1
                }
            }
        }
        #expect(labelled > 0 && clean > 0)
        #expect(found * 100 >= labelled * 98, "\(found) of \(labelled)")
        #expect(grave == 0)
        #expect(touched * 100 <= clean, "\(touched) of \(clean)")
    }
}
