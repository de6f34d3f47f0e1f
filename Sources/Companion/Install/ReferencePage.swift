import Foundation
import Settings

/// The API reference that the SDK's build writes beside the script, as a page. Of Markdown it knows what
/// that file uses: headings, paragraphs, tables and code.
struct ReferencePage: Sendable {
    /// The whole page.
    let html: String

    /// Nil when the SDK was built without a reference, or there is no template in `folder`.
    init?(folder: String, sdkDirectory: String) {
        guard let text = Self.read("\(sdkDirectory)/reference.md"),
            let template = Self.read("\(folder)/install/reference.html")
        else { return nil }
        html = template.replacingOccurrences(of: "{{content}}", with: Self.render(text))
    }

    private static func read(_ path: String) -> String? {
        let data = FileManager.default.contents(atPath: path)
        guard let data, data.count <= Limits.staticFileBytesMaximum else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// Blocks are divided by empty lines; what is none of the others is a paragraph.
    static func render(_ markdown: String) -> String {
        var blocks: [[Substring]] = [[]]
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { blocks.append([]) } else { blocks[blocks.count - 1].append(line) }
        }
        return blocks.filter { !$0.isEmpty }.map(block).joined(separator: "\n")
    }

    private static func block(_ lines: [Substring]) -> String {
        let first = lines[0]
        for (mark, level) in [("### ", "h3"), ("## ", "h2"), ("# ", "h1")]
        where first.hasPrefix(mark) {
            let heading = "<\(level)>\(inline(first.dropFirst(mark.count)))</\(level)>"
            return lines.count == 1 ? heading : heading + "\n" + block(Array(lines.dropFirst()))
        }
        if first.hasPrefix("|") { return table(lines) }
        if lines.allSatisfy({ $0.hasPrefix("    ") }) { return code(lines) }
        return "<p>\(inline(Substring(lines.joined(separator: " "))))</p>"
    }

    private static func code(_ lines: [Substring]) -> String {
        let text = lines.map { $0.dropFirst(4) }.joined(separator: "\n")
        return "<div class=\"snippet\"><pre tabindex=\"0\" role=\"region\" aria-label=\"Example\">"
            + "<code>\(InstallPage.escaped(text))</code></pre></div>"
    }

    private static func table(_ lines: [Substring]) -> String {
        let rows = lines.map(cells).filter { !$0.allSatisfy { $0.allSatisfy { $0 == "-" } } }
        let head = rows[0].map { "<th scope=\"col\">\(inline($0))</th>" }.joined()
        let body = rows.dropFirst().map { row in
            let first = row.first.map { "<th scope=\"row\">\(inline($0))</th>" } ?? ""
            return "<tr>\(first)\(row.dropFirst().map { "<td>\(inline($0))</td>" }.joined())</tr>"
        }
        return """
            <div class="table-frame" tabindex="0" role="group" aria-label="Members"><table>
            <thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table></div>
            """
    }

    /// The cells of `| a | b |`; a bar behind a backslash is text.
    private static func cells(_ line: Substring) -> [Substring] {
        let bar: Character = "\u{1}"
        let text = line.replacingOccurrences(of: "\\|", with: String(bar))
        let cells = text.split(separator: "|", omittingEmptySubsequences: false)
        return cells.dropFirst().dropLast().map {
            Substring(
                $0.trimmingCharacters(in: .whitespaces)
                    .replacingOccurrences(of: String(bar), with: "|")
            )
        }
    }

    /// Text with its code between backticks; everything is escaped.
    private static func inline(_ text: Substring) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.enumerated().map { index, part in
            let escaped = InstallPage.escaped(String(part))
            return index % 2 == 1 ? "<code>\(escaped)</code>" : escaped
        }.joined()
    }
}
