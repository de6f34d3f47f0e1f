import Foundation
import Hummingbird
import Settings

/// The page that tells a site owner what to paste, and whether it works. Rendered here for each site,
/// so that it is whole without a script of its own.
struct InstallPage: Sendable {
    /// What the page knows of a site.
    struct SiteFacts: Sendable {
        let name: String
        let key: String
        let masksAutomation: Bool
    }

    let sites: [SiteFacts]
    let script: ScriptFacts
    private let ingest: String
    private let template: String
    /// Nil when the SDK was built without one.
    let reference: ReferencePage?

    /// Reads the template in `folder`; nil when there is none.
    init?(
        folder: String,
        ingest: String,
        sites: [Site],
        script: ScriptFacts,
        sdkDirectory: String = ""
    ) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/install/index.html"),
            data.count <= Limits.staticFileBytesMaximum
        else { return nil }
        template = String(decoding: data, as: UTF8.self)
        self.ingest = ingest
        self.script = script
        reference = ReferencePage(folder: folder, sdkDirectory: sdkDirectory)
        self.sites = sites.map { site in
            SiteFacts(
                name: site.name,
                key: site.keys.first ?? "",
                masksAutomation: site.automation == .mask
            )
        }
    }

    /// The page for the site at `index`, with those of `seen` to choose from, of which `events` came within
    /// the last hour; nil when nobody can say now.
    func render(site index: Int, of seen: [Int], events: Int64?) -> String {
        let site = sites[index]
        let snippets = InstallSnippets(ingest: ingest, facts: script, key: site.key)
        let values: [(String, String)] = [
            ("site", Self.escaped(site.name)),
            ("options", options(seen, chosen: index)),
            ("missing", script.script == nil ? "" : "hidden"),
            ("plain", Self.escaped(snippets.plain)),
            ("newest", Self.escaped(snippets.newest)),
            ("manager", Self.escaped(snippets.manager)),
            ("app", Self.escaped(snippets.app)),
            ("module", Self.escaped(snippets.module ?? "")),
            ("no-module", snippets.module == nil ? "hidden" : ""),
            ("no-reference", reference == nil ? "hidden" : ""),
            ("policy", Self.escaped(snippets.policy)),
            ("masks", site.masksAutomation ? "" : "hidden"),
            ("seen", events.map { $0 > 0 ? "yes" : "no" } ?? "unknown"),
            ("state", Self.state(events)),
        ]
        return values.reduce(template) { text, value in
            text.replacingOccurrences(of: "{{\(value.0)}}", with: value.1)
        }
    }

    private func options(_ seen: [Int], chosen: Int) -> String {
        seen.map { index in
            let name = Self.escaped(sites[index].name)
            let mark = index == chosen ? " selected" : ""
            return "<option value=\"\(name)\"\(mark)>\(name)</option>"
        }.joined()
    }

    private static func state(_ events: Int64?) -> String {
        switch events {
        case nil: return "The engine cannot be asked right now."
        case 0?: return "No event has come within the last hour."
        case 1?: return "It works: 1 event has come within the last hour."
        case let count?: return "It works: \(count) events have come within the last hour."
        }
    }

    /// `text` as text of a page or a value of an attribute.
    static func escaped(_ text: String) -> String {
        let replaced = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"]
        return text.reduce(into: "") { $0 += replaced[String($1)] ?? String($1) }
    }
}

/// Serves the page at `/install`.
struct InstallRoute: Sendable {
    let page: InstallPage
    let minutes: MinuteReader
    let parameters: RequestParameters
    let gate: Gate

    func add(to router: Router<CompanionContext>) {
        router.get("/install") { request, context in
            guard let grant = await gate.visitor(request, context.address),
                grant.scopes.contains(.readStats)
            else { return SignIn.redirect(from: request) }
            return try await respond(to: request, grant)
        }
        guard let reference = page.reference else { return }
        router.get("/install/reference") { _, _ in Self.answer(reference.html) }
    }

    private func respond(to request: Request, _ grant: Grant) async throws -> Response {
        let seen = page.sites.indices.filter { grant.reaches(page.sites[$0].name) }
        guard let first = seen.first else { throw ApiProblem.notFound("There is no site to show.") }
        let isNamed = try parameters.text("site", of: request) != nil
        let site = isNamed ? try parameters.site(of: request, grant) : first
        // A store that is away must not keep anybody from the snippet.
        let totals = try? await minutes.minutes(site: site, last: 60).totals
        let text = page.render(
            site: site,
            of: seen,
            events: totals.map { $0.events + $0.automatedEvents }
        )
        return Self.answer(text)
    }

    private static func answer(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: StaticPages.livePolicy,
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
