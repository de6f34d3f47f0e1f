import Bytes
import Foundation
import TestSupport
import Testing

/// Nicolas Seriot's JSONTestSuite: y must be accepted, n refused, i may be either but not crash.
@Suite(
    .enabled(
        if: SharedData.exists(SharedData.jsonSuite),
        "JSONTestSuite is not beside the repository; HELIOGRAPH_SHARED names its folder"
    )
)
struct JSONTestSuiteTests {
    @Test(arguments: [("y_", 95), ("n_", 188), ("i_", 35)])
    func everyCaseIsJudgedAsTheSuiteSays(prefix: String, count: Int) throws {
        let files = try SharedData.files(SharedData.jsonSuite)
            .filter { $0.lastPathComponent.hasPrefix(prefix) }
        #expect(files.count == count)
        var accepted = 0
        for file in files {
            let verdict = judge(try Data(contentsOf: file))
            accepted += verdict == nil ? 1 : 0
            if prefix == "y_" {
                #expect(verdict == nil, "\(file.lastPathComponent) was refused")
            } else if prefix == "n_" {
                #expect(verdict != nil, "\(file.lastPathComponent) was accepted")
            }
        }
        print("JSONTestSuite \(prefix): \(accepted) accepted, \(count - accepted) refused")
    }

    @Test func aByteOrderMarkAndDeepNestingAreRefused() throws {
        let mark = SharedData.jsonSuite.appendingPathComponent(
            "i_structure_UTF-8_BOM_empty_object.json"
        )
        #expect(judge(try Data(contentsOf: mark))?.reason == .unexpectedByte)
        let deep = SharedData.jsonSuite.appendingPathComponent(
            "i_structure_500_nested_arrays.json"
        )
        #expect(judge(try Data(contentsOf: deep))?.reason == .tooDeep)
    }

    private func judge(_ data: Data) -> JSONError? {
        Array(data).withUnsafeBytes { buffer in
            var cursor = JSONCursor(ByteView(buffer))
            do throws(JSONError) {
                _ = try cursor.skip()
                try cursor.end()
                return nil
            } catch { return error }
        }
    }
}
