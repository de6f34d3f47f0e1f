// Goal: what platforms are told of a person is what their rules say, byte by byte. Method: the vectors
// made with Meta's own libraries and from Google's pages, when they lie beside the repository.
import Delivery
import Foundation
import Testing

@Suite struct EveryVectorAgreesTests {
    static let file = SharedData.folder.appendingPathComponent("data/conversion_vectors.json")
    static let context = MetaField.Context(nowMilliseconds: 1_790_000_000_000)

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
