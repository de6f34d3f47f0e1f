import Foundation
import TestSupport

/// One case of llhttp's request tests: bytes, and what its strict parser makes of them.
struct HTTPSuiteCase: CustomStringConvertible, Sendable {
    let file: String
    let title: String
    let input: [UInt8]
    let isRefused: Bool

    var description: String { "\(file): \(title)" }

    /// The cases for the strict parser in all files, in their order.
    static func all() throws -> [HTTPSuiteCase] {
        try SharedData.files(SharedData.httpSuite).flatMap { file in
            cases(
                in: try String(contentsOf: file, encoding: .utf8),
                file: file.deletingPathExtension().lastPathComponent
            )
        }
    }

    private static func cases(in text: String, file: String) -> [HTTPSuiteCase] {
        var found: [HTTPSuiteCase] = []
        var title = ""
        var isStrict = false
        var input: [UInt8]?
        var block: (kind: String, lines: [String])?
        for line in text.components(separatedBy: "\n") {
            if let open = block {
                guard line.hasPrefix("```") else {
                    block?.lines.append(line)
                    continue
                }
                if open.kind == "http" { input = isStrict ? unescaped(open.lines) : nil }
                if open.kind == "log", let bytes = input {
                    let isRefused = open.lines.contains { $0.contains("error code=") }
                    found.append(
                        .init(file: file, title: title, input: bytes, isRefused: isRefused)
                    )
                    input = nil
                }
                block = nil
            } else if line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), [])
            } else if line.hasPrefix("#") {
                title = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
            } else if line.hasPrefix("<!-- meta=") {
                isStrict = isForStrictParser(line)
            }
        }
        return found
    }

    /// Neither lenient, nor stopped half-way by the test, nor about anything but a request.
    private static func isForStrictParser(_ line: String) -> Bool {
        let meta = line.filter { $0 != " " }
        return meta.contains("\"type\":\"request\"") && !meta.contains("pause")
            && !meta.contains("skipBody")
    }
}

/// Line ends become CRLF, a backslash at the end of a line joins it with the next, and the
/// escapes `\r \n \t \f \xHH` stand for their bytes.
func unescaped(_ lines: [String]) -> [UInt8] {
    let text = lines.joined(separator: "\n")
        .replacingOccurrences(of: "\\\n", with: "")
        .replacingOccurrences(of: "\n", with: "\r\n")
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
            bytes.append(byte)
            continue
        }
        switch escape {
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "x"):
            bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        default: bytes += [byte, escape]
        }
    }
    return bytes
}
