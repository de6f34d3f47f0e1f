// Goal: what platforms are told of a person is what their rules say, byte by byte. Method: the vectors
// made with Meta's own libraries and from Google's pages, when they lie beside the repository.
import Delivery
import Foundation
import TestSupport
import Testing

@Suite struct EveryVectorAgreesTests {
    static let file = SharedData.file("conversion_vectors.json")
    static let context = MetaField.Context(nowMilliseconds: 1_790_000_000_000)

    @Test func aWrongRowAndAnUnknownOneAreTold() throws {
        let file = """
            {"unknown":1,"param_builder_clock_ms":1762902353123,"vectors":[
            {"id":"a","field":"em","input":" A@b.co","normalized":"a@b.co","output":null},
            {"id":"b","field":"em","input":" A@b.co","normalized":"a@b.co"},
            {"id":"c","field":"ge","input":null,"normalized":null,"output":null},
            {"id":"d","field":"zzz","input":"x","output":"x"},{"id":"e","field":"ph","input":16505551212}],
            "param_builder_fbc_fbp":[{"host":"a.example","query":{"fbclid":["X"]},"cookies":{},
            "fbc":"fb.1.1762902353123.Y.AQICAQMC","fbp":"fb.1.1762902353123.5.AQICAQMC"}]}
            """
        let vectors = try #require(FieldVectors(Array(file.utf8), Self.context))
        #expect(vectors.rows.map(\.agrees) == [false, nil, true, false, nil, false, true])
        #expect(vectors.rows.map(\.isUnknown) == [false, false, false, true, false, false, false])
        #expect(vectors.passed == 2 && vectors.compared == 5)
        #expect(vectors.rows[4].normalized == "16505551212")
        #expect(FieldVectors(Array("[]".utf8), Self.context) == nil)
        #expect(FieldVectors(Array("{".utf8), Self.context) == nil)
    }

    @Test(.enabled(if: SharedData.exists(file), "no shared/data/conversion_vectors.json"))
    func everyVectorAgrees() throws {
        let bytes = [UInt8](try Data(contentsOf: Self.file))
        let vectors = try #require(FieldVectors(bytes, Self.context))
        for row in vectors.rows where row.agrees == false {
            Issue.record("\(String(decoding: row.line, as: UTF8.self))")
        }
        print("vectors: \(vectors.passed) of \(vectors.compared)")
        #expect(vectors.compared > 100)
    }
}
