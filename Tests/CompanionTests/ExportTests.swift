import Foundation
import Testing

@testable import Companion

/// Files for spreadsheets work nothing out, say what they are, and come in parts.
@Suite struct ExportTests {
    @Test(arguments: [
        "=1+1", "+2", "-3", "@SUM(1)", "\t=5", "\r=1", "\nx", " =6", "\u{FF1D}1", "\u{FF0B}1",
        "\u{FF0D}1", "\u{FF20}x", "\u{200B}=1", "\u{0}=1", "|7", "%0A", "\u{FEFF}=1", "\u{A0}+1",
    ]) func aFormulaGetsAnApostrophe(text: String) {
        #expect(TableFormat.cell(.string(text)).hasPrefix("\"'"))
    }

    @Test(arguments: ["", "plain", "a=b", "1-2", "https://x.example/?a=1", "'=1", "Ünï", "(=1)"])
    func otherTextsStayAsTheyAre(text: String) {
        #expect(TableFormat.cell(.string(text)) == "\"\(text)\"")
    }

    @Test func numbersStayBareAndQuotesDouble() {
        let line = TableFormat.csv.line(
            [.integer(-3), .number(19.99), .null, .string("a\"b,c"), .bool(true)],
            ["a", "b", "c", "d", "e"]
        )
        #expect(line == "-3,19.99,,\"a\"\"b,c\",true\r\n")
        let other = TableFormat.ndjson.line([.integer(1), .string("x\n")], ["a", "b"])
        #expect(other == "{\"a\":1,\"b\":\"x\\n\"}\n")
    }

    @Test(arguments: [
        ("text/csv", TableFormat.csv), ("text/csv;q=0.9, */*", .csv),
        ("text/html, application/x-ndjson", .ndjson), ("application/json", nil), ("*/*", nil),
        ("", nil), ("application/json, text/csv", nil),
    ]) func theFirstFormThatIsNamedIsGiven(accept: String, wanted: TableFormat?) {
        #expect(TableFormat(accept: accept) == wanted)
    }

    @Test(arguments: [
        ("bytes=0-0", ByteSpan(first: 0, last: 0)), ("bytes=5-", ByteSpan(first: 5, last: 99)),
        ("bytes=-10", ByteSpan(first: 90, last: 99)), ("bytes=-500", ByteSpan(first: 0, last: 99)),
        ("bytes=90-500", ByteSpan(first: 90, last: 99)), ("bytes=0-1,5-6", nil),
        ("items=0-1", nil), ("bytes=a-b", nil), ("bytes=9-5", nil), ("bytes=-", nil),
    ]) func rangesAreReadAsHTTPSays(header: String, wanted: ByteSpan?) throws {
        #expect(try ByteSpan(header, of: 100) == wanted)
    }

    @Test(arguments: ["bytes=100-", "bytes=100-200", "bytes=-0"])
    func nothingBehindTheEndIsGiven(header: String) {
        #expect(throws: ApiProblem.rangeNotSatisfiable(100)) { try ByteSpan(header, of: 100) }
    }

    @Test func aQuestionsFileHasItsRows() {
        let document: JSONValue = [
            "columns": [
                ["name": "session.channel", "type": "string"],
                ["name": "revenue", "type": "money", "currency": "JPY", "minor_digits": 0],
                ["name": "orders", "type": "integer"],
            ],
            "rows": [["d": ["=cmd"], "m": [1500, 2], "c": [.null, 0]]],
            "totals": ["m": [1500, 2]], "meta": ["warnings": []],
        ]
        #expect(
            QueryFile(document, .csv).lines == [
                "\"session.channel\",\"revenue\",\"orders\",\"earlier_revenue\",\"earlier_orders\""
                    + ",\"currency\"\r\n",
                "\"'=cmd\",1500,2,,0,\"JPY\"\r\n",
            ]
        )
        #expect(QueryFile(document, .ndjson).lines.count == 1)
    }

    @Test func everyProblemHasItsPage() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let folder = "/\(root)/Sources/Companion"
        let files = try #require(FileManager.default.enumerator(atPath: folder))
        let said = /(?:code: |\.field\(\s*|QueryNames\.unknown\()"([a-z-]+)"/
        var codes: Set<String> = []
        for case let name as String in files where name.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            codes.formUnion(text.matches(of: said).map { String($0.1) })
        }
        #expect(codes.count > 20)
        let pages = ProblemPages.all.map(\.code)
        #expect(codes.subtracting(pages).isEmpty)
        #expect(Set(pages).count == pages.count)
    }

    @Test func aProblemLeadsToItsPage() throws {
        let companion = try RunningCompanion()
        let problem = try json(companion.get("/api/v1/nothing", caller: "").body)
        let type = try #require(problem["type"] as? String)
        let page = try companion.get(type, caller: "")
        #expect(page.status == 200)
        #expect(page.headers["content-type"]?.hasPrefix("text/html") == true)
        #expect(page.body.contains("<code>not-found</code>"))
        #expect(try companion.get("/api/v1/problems/%3Cscript%3E", caller: "").status == 404)
    }
}
