import Foundation
import HTTPTypes
import Hummingbird

/// A route of the API: what it is called, who may ask it, and what it takes. Requests are checked against
/// it and the OpenAPI document is written from it, so that the two cannot differ.
struct Endpoint: Sendable {
    /// Who may ask.
    enum Access: Sendable, Equatable {
        /// Anybody.
        case open
        /// Whoever has a credential, whatever it allows.
        case anyCaller
        /// Whoever has the scope.
        case scope(Scope)
    }

    /// A parameter of the path or the query.
    struct Parameter: Sendable {
        let name: String
        let about: String
        /// A schema of OpenAPI.
        var schema: JSONValue = ["type": "string"]
        var isRequired = false

        static let site = Parameter(
            name: "site",
            about: "The site's name; may be left out where the caller sees one site only."
        )
        static let limit = Parameter(
            name: "limit",
            about: "How many rows.",
            schema: ["type": "integer", "minimum": 1, "maximum": 200]
        )
        static let cursor = Parameter(
            name: "cursor",
            about: "`next_cursor` of the answer before; absent for the first page."
        )
    }

    let method: HTTPRequest.Method
    /// Below `/api/v1`.
    let path: String
    let access: Access
    let summary: String
    var query: [Parameter] = []
    /// Schema of the body; nil where none is taken.
    var body: JSONValue?
    /// Schema of the answer.
    var answer: JSONValue = ["type": "object"]
    var status: HTTPResponse.Status = .ok
    var answerType = "application/json"
    /// Other forms of the same answer, as texts.
    var otherTypes: [String] = []
    /// Whether an answer tells of one person, whose id is `id` in the path; then it is noted who read it.
    var person: String?

    /// Names of the parameters in the path.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
            String($0.dropFirst().dropLast())
        }
    }

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ access: Access,
        _ summary: String
    ) {
        (self.method, self.path, self.access, self.summary) = (method, path, access, summary)
    }

    func taking(_ parameters: Parameter...) -> Endpoint {
        var copy = self
        copy.query += parameters
        return copy
    }

    func takingBody(_ schema: JSONValue) -> Endpoint {
        var copy = self
        copy.body = schema
        return copy
    }

    func answering(
        _ schema: JSONValue,
        status: HTTPResponse.Status = .ok,
        type: String = "application/json"
    ) -> Endpoint {
        var copy = self
        (copy.answer, copy.status, copy.answerType) = (schema, status, type)
        return copy
    }

    /// The same in other forms.
    func orAnswering(_ types: String...) -> Endpoint {
        var copy = self
        copy.otherTypes = types
        return copy
    }

    /// Every good answer is noted as a read of the person, under the name `what`.
    func tellingOfPerson(_ what: String) -> Endpoint {
        var copy = self
        copy.person = what
        return copy
    }
}

/// A request that was let in.
struct Call: Sendable {
    let request: Request
    let context: CompanionContext
    /// Nil at endpoints that are open to anybody.
    let grant: Grant?
    let parameters: RequestParameters
    /// Whether the caller would still be let in: for answers that go on for long.
    let isStillLetIn: @Sendable () async -> Bool

    /// The index of the site that is asked about, in the query. A site that the caller may not see does
    /// not exist.
    func site() throws -> Int { try parameters.site(of: request, grant) }

    /// The same for a site that the path names.
    func siteOfPath() throws -> Int { try parameters.site(named: path("site"), grant) }

    /// The same for a site that the body names.
    func site(named body: JSONValue) throws -> Int {
        guard let name = body.members?["site"]?.text else {
            throw ApiProblem.invalidField("/site", "is missing; name one of your sites")
        }
        return try parameters.site(named: name, try caller())
    }

    /// Whatever in the path or the query names the site.
    func siteAnywhere() throws -> Int {
        context.parameters.get("site") == nil ? try site() : try siteOfPath()
    }

    func siteName(_ site: Int) -> String { parameters.sites[site] }

    /// A parameter of the path.
    func path(_ name: String) -> String {
        context.parameters.get(name)?.removingPercentEncoding ?? ""
    }

    func limit() throws -> Int { try parameters.limit(of: request) }

    func text(_ name: String) throws -> String? { try parameters.text(name, of: request) }

    /// The caller, at endpoints that are not open.
    func caller() throws -> Grant {
        guard let grant else { throw ApiProblem.unauthenticated }
        return grant
    }
}

/// Adds endpoints to the router, each behind its own check.
final class ApiRouter {
    private let router: Router<CompanionContext>
    private let gate: Gate
    private let audit: AuditLog
    private let parameters: RequestParameters
    /// What was added, in this order.
    private(set) var endpoints: [Endpoint] = []

    init(
        _ router: Router<CompanionContext>,
        gate: Gate,
        audit: AuditLog,
        parameters: RequestParameters
    ) {
        (self.router, self.gate, self.audit) = (router, gate, audit)
        self.parameters = parameters
    }

    func add(
        _ endpoint: Endpoint,
        _ body: @escaping @Sendable (Call) async throws -> Response
    ) {
        endpoints.append(endpoint)
        let check = EndpointCheck(
            endpoint: endpoint,
            gate: gate,
            audit: audit,
            parameters: parameters
        )
        router.on(RouterPath("/api/v1" + endpoint.path), method: endpoint.method) {
            request,
            context in
            let call = try await check.admit(request, context)
            let response = try await body(call)
            try check.note(call, response)
            return response
        }
    }

    /// Answers other methods at the paths that there are. To be called once, at the end.
    func refuseOtherMethods() {
        let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]
        for path in Set(endpoints.map(\.path)) {
            let known = endpoints.filter { $0.path == path }.map(\.method)
            let allowed = known.map(\.rawValue).joined(separator: ", ")
            for method in methods where !known.contains(method) {
                router.on(RouterPath("/api/v1" + path), method: method) { _, _ -> Response in
                    throw ApiProblem.methodNotAllowed(allowed)
                }
            }
        }
    }
}

/// What is checked before an endpoint is asked.
private struct EndpointCheck: Sendable {
    let endpoint: Endpoint
    let gate: Gate
    let audit: AuditLog
    let parameters: RequestParameters

    func admit(_ request: Request, _ context: CompanionContext) async throws -> Call {
        let grant = try await grant(request, context)
        try checkQuery(request)
        return Call(
            request: request,
            context: context,
            grant: grant,
            parameters: parameters,
            isStillLetIn: { [endpoint, gate] in
                let found = await gate.visitor(request, context.address)
                guard case .scope(let scope) = endpoint.access else { return found != nil }
                return found.map { $0.scopes.contains(scope) && $0.sites == grant?.sites } ?? false
            }
        )
    }

    private func grant(_ request: Request, _ context: CompanionContext) async throws -> Grant? {
        if endpoint.access == .open { return nil }
        let grant = try await gate.admit(request, context.address)
        if case .scope(let scope) = endpoint.access, !grant.scopes.contains(scope) {
            throw ApiProblem.scopeMissing(scope)
        }
        return grant
    }

    /// A misspelt parameter would otherwise be an answer to another question.
    private func checkQuery(_ request: Request) throws {
        for (name, _) in request.uri.queryParameters
        where !endpoint.query.contains(where: { $0.name == name }) {
            let known = endpoint.query.map(\.name).joined(separator: ", ")
            throw ApiProblem.invalidParameter(
                String(name.prefix(64)),
                known.isEmpty ? "is not known here" : "is not known here; known are \(known)"
            )
        }
    }

    func note(_ call: Call, _ response: Response) throws {
        guard let what = endpoint.person, response.status == .ok else { return }
        let site = call.siteName(try call.siteAnywhere())
        try audit.note(try call.caller(), site: site, visitor: call.path("id"), what: what)
    }
}
