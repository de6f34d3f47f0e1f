import HTTPTypes
import Hummingbird
import Synchronization

/// The API's own description, written from the endpoints that are served.
struct OpenAPI: Sendable {
    static let endpoint = Endpoint(.get, "/openapi.json", .open, "This description, OpenAPI 3.1.")
        .answering(Schemas.open("openapi", "paths"))

    /// The document of the endpoints.
    static func document(of endpoints: [Endpoint]) -> JSONValue {
        var paths: [String: [String: JSONValue]] = [:]
        for endpoint in endpoints {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] =
                operation(endpoint)
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": "Heliograph companion", "version": "1"],
            "servers": [["url": "/api/v1"]],
            "paths": .object(paths.mapValues { .object($0) }),
            "components": [
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer", "bearerFormat": "hgt_..."],
                    "session": ["type": "apiKey", "in": "cookie", "name": "hg"],
                ],
                "schemas": ["Problem": Schemas.problem],
            ],
        ]
    }

    private static func operation(_ endpoint: Endpoint) -> JSONValue {
        var operation: [String: JSONValue] = [
            "summary": .string(endpoint.summary),
            "parameters": .array(
                endpoint.pathNames.map(pathParameter) + endpoint.query.map(queryParameter)
            ),
            "responses": [
                "\(endpoint.status.code)": [
                    "description": "As the summary says.",
                    "content": content(endpoint),
                ],
                "default": [
                    "description": "A problem, RFC 9457.",
                    "content": [
                        "application/problem+json": [
                            "schema": ["$ref": "#/components/schemas/Problem"]
                        ]
                    ],
                ],
            ],
            "security": security(endpoint.access),
        ]
        if case .scope(let scope) = endpoint.access {
            operation["x-scope"] = .string(scope.rawValue)
        }
        if endpoint.person != nil { operation["x-tells-of-person"] = true }
        if let body = endpoint.body {
            operation["requestBody"] = [
                "required": true, "content": ["application/json": ["schema": body]],
            ]
        }
        return .object(operation)
    }

    private static func content(_ endpoint: Endpoint) -> JSONValue {
        var content: [String: JSONValue] = [endpoint.answerType: ["schema": endpoint.answer]]
        for type in endpoint.otherTypes { content[type] = ["schema": ["type": "string"]] }
        return .object(content)
    }

    private static func security(_ access: Endpoint.Access) -> JSONValue {
        access == .open ? [] : [["token": []], ["session": []]]
    }

    private static func pathParameter(_ name: String) -> JSONValue {
        [
            "name": .string(name), "in": "path", "required": true, "schema": ["type": "string"],
        ]
    }

    private static func queryParameter(_ parameter: Endpoint.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": "query",
            "required": .bool(parameter.isRequired), "description": .string(parameter.about),
            "schema": parameter.schema,
        ]
    }

    /// Serves the document of everything that has been added so far, and of itself. To be called last.
    static func add(to api: ApiRouter) throws {
        let body = try JSONBody.buffer(document(of: api.endpoints + [endpoint]))
        let tag = StaticPages.entityTag(of: body.readableBytesView)
        api.add(endpoint) { call in
            let headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
            let known = call.request.headers[values: .ifNoneMatch].joined(separator: ",")
            if known.contains(tag) { return Response(status: .notModified, headers: headers) }
            return Response(
                status: .ok,
                headers: headers + [.contentType: "application/json; charset=utf-8"],
                body: ResponseBody(byteBuffer: body)
            )
        }
    }
}
