import Foundation
import Hummingbird
import Settings

/// The parameters that several routes take, and the checks of what they are asked.
struct RequestParameters: Sendable {
    let sites: [String]

    /// The index of the site that is asked about. Without a name, the only one that the caller sees.
    func site(of request: Request, _ grant: Grant?) throws -> Int {
        guard let name = try text("site", of: request) else {
            let seen = sites.indices.filter { grant?.reaches(sites[$0]) ?? false }
            if seen.count == 1 { return seen[0] }
            throw ApiProblem.invalidParameter("site", "is missing; name one of your sites")
        }
        return try site(named: name, grant)
    }

    /// The index of the site with this name. What the caller may not see is not told from what there is
    /// not.
    func site(named name: String, _ grant: Grant?) throws -> Int {
        guard let site = sites.firstIndex(of: name), let grant, grant.reaches(name) else {
            throw ApiProblem.notFound("There is no such site. Is it in config/heliograph.yaml?")
        }
        return site
    }

    /// How many rows are asked for.
    func limit(of request: Request) throws -> Int {
        try count(
            "limit",
            of: request,
            maximum: Limits.companionVisitorsMaximum,
            standard: Limits.companionVisitorsDefault
        )
    }

    /// A number from 1 to `maximum`; `standard` when there is none.
    func count(
        _ name: String,
        of request: Request,
        maximum: Int,
        standard: Int
    ) throws -> Int {
        guard let text = try text(name, of: request) else { return standard }
        guard text.utf8.count <= 4, let count = Int(text), (1...maximum).contains(count) else {
            throw ApiProblem.invalidParameter(name, "must be 1 to \(maximum)")
        }
        return count
    }

    /// A query parameter; given twice it is refused, because readers disagree on which one counts.
    func text(_ name: String, of request: Request) throws -> String? {
        let values = request.uri.queryParameters.filter { $0.key == name }.map(\.value)
        if values.count > 1 { throw ApiProblem.invalidParameter(name, "is given twice") }
        return values.first.map(String.init)
    }

    /// The body, which must be JSON.
    static func body(of request: Request) async throws -> JSONValue {
        let type = request.headers[.contentType]?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else { throw ApiProblem.mediaType }
        let bytes = try await request.body.collect(upTo: Limits.companionBodyBytesMaximum)
        guard
            let value = try? JSONDecoder().decode(
                JSONValue.self,
                from: Data(bytes.readableBytesView)
            )
        else { throw ApiProblem.invalidJSON }
        return value
    }
}
