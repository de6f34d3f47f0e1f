/// What a site owner pastes, for one site. Everything in it comes from checked settings and from our own
/// files, so nothing needs an escape inside a script; the page escapes it once, as text.
struct InstallSnippets {
    let ingest: String
    let facts: ScriptFacts
    let key: String

    /// The bits that a new site begins with: measurement. More comes with the visitor's consent.
    private static let consent = 1

    private var endpoint: String { ingest + (facts.endpoint ?? "/v1/e") }
    private var script: ScriptFacts.File {
        facts.script
            ?? ScriptFacts.File(fixedPath: "/hg.js", newestPath: "/hg.js", integrity: "")
    }

    /// Attributes that say which file, and that it must be the very one.
    private var pinned: [String] {
        var attributes = ["src=\"\(ingest)\(script.fixedPath)\""]
        if !script.integrity.isEmpty {
            attributes += ["integrity=\"\(script.integrity)\"", "crossorigin=\"anonymous\""]
        }
        return attributes
    }

    /// Attributes that the script reads from its own tag.
    private var settings: [String] {
        var attributes = ["data-key=\"\(key)\"", "data-consent=\"\(Self.consent)\""]
        if facts.endpoint != nil { attributes.append("data-endpoint=\"\(endpoint)\"") }
        return attributes
    }

    private static func tag(_ attributes: [String]) -> String {
        "<script async " + attributes.joined(separator: "\n    ") + "></script>"
    }

    /// For pages that the server renders: the very file, checked by the browser.
    var plain: String { Self.tag(pinned + settings) }

    /// The same without a pin: always the newest file.
    var newest: String { Self.tag(["src=\"\(ingest)\(script.newestPath)\""] + settings) }

    /// For tag managers, which drop attributes that they do not know: the script makes its own tag.
    var manager: String {
        var lines = [
            "<script>", "(function () {", "    var tag = document.createElement('script');",
        ]
        lines += ["    tag.async = true;", "    tag.src = '\(ingest)\(script.fixedPath)';"]
        if !script.integrity.isEmpty {
            lines += ["    tag.integrity = '\(script.integrity)';"]
            lines += ["    tag.crossOrigin = 'anonymous';"]
        }
        lines += settings.map { attribute in
            let parts = attribute.split(separator: "=", maxSplits: 1)
            let value = parts[1].dropFirst().dropLast()
            return "    tag.setAttribute('\(parts[0])', '\(value)');"
        }
        lines += ["    document.head.appendChild(tag);", "}());", "</script>"]
        return lines.joined(separator: "\n")
    }

    /// For single-page apps: routes are seen without help, `data-spa` says what counts as one.
    var app: String { Self.tag(pinned + settings + ["data-spa=\"path\""]) }

    /// For apps that are bundled; nil without the module.
    var module: String? {
        guard let module = facts.module else { return nil }
        return """
            import { start, consent, track } from '\(ingest)\(module.fixedPath)';

            start({ key: '\(key)', endpoint: '\(endpoint)', consent: \(Self.consent) });
            // When the visitor has agreed to more:
            consent(7);
            // When something happened that only your code knows:
            track('trial_started', { plan: 'team' });
            """
    }

    /// What a Content-Security-Policy needs beside what it has.
    var policy: String { "script-src \(ingest);\nconnect-src \(ingest);" }
}
