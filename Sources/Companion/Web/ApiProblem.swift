import Foundation
import HTTPTypes
import Hummingbird

/// A refusal as RFC 9457 writes it. Everything that goes wrong becomes one of these.
struct ApiProblem: Error, Sendable, Equatable {
    let status: Int
    /// The last part of `type`, and what programs should look at.
    let code: String
    let title: String
    let detail: String
    /// Seconds after which asking again makes sense.
    var retryAfterSeconds: Int?
    /// JSON pointer to the part of the body that is wrong.
    var pointer: String?
    /// What would have been right there.
    var allowed: [String]?
    /// Methods that the path knows.
    var allow: String?

    static func notFound(_ detail: String) -> ApiProblem {
        ApiProblem(status: 404, code: "not-found", title: "Not found", detail: detail)
    }

    static func invalidParameter(_ name: String, _ detail: String) -> ApiProblem {
        ApiProblem(
            status: 400,
            code: "invalid-parameter",
            title: "Invalid parameter",
            detail: "\(name) \(detail)"
        )
    }

    static let wrongHost = ApiProblem(
        status: 421,
        code: "wrong-host",
        title: "Wrong host",
        detail:
            "This name is none of this server's. Names are listed in companion.hosts of the settings."
    )

    static func methodNotAllowed(_ allowed: String) -> ApiProblem {
        ApiProblem(
            status: 405,
            code: "method-not-allowed",
            title: "Method not allowed",
            detail: "Only \(allowed) is answered here.",
            allow: allowed
        )
    }

    static let tooManyStreams = ApiProblem(
        status: 503,
        code: "too-many-streams",
        title: "Too many live streams",
        detail: "All live streams are taken. Close a live page and try again.",
        retryAfterSeconds: 5
    )

    static let storeUnavailable = ApiProblem(
        status: 503,
        code: "store-unavailable",
        title: "Redis is not reachable",
        detail: "Scores live in Redis, which does not answer now. Events are still taken in.",
        retryAfterSeconds: 2
    )

    static let invalidCursor = ApiProblem(
        status: 400,
        code: "invalid-cursor",
        title: "Invalid cursor",
        detail: "cursor must be the next_cursor of an earlier answer; leave it out to begin anew."
    )

    static let archiveUnavailable = ApiProblem(
        status: 503,
        code: "store-unavailable",
        title: "PostgreSQL is not reachable",
        detail: "Events lie in PostgreSQL, which does not answer now. Scores and intake go on.",
        retryAfterSeconds: 2
    )

    static let queryDeadline = ApiProblem(
        status: 504,
        code: "query-deadline",
        title: "The question took too long",
        detail: "PostgreSQL did not find it in time. Ask again when it is less busy."
    )

    static let tooManyExports = ApiProblem(
        status: 429,
        code: "rate-limited",
        title: "Too many exports",
        detail: "Others are being made or kept. Wait for them, or delete some.",
        retryAfterSeconds: 10
    )

    static let expiredExport = ApiProblem(
        status: 410,
        code: "expired",
        title: "The file is gone",
        detail: "It was too old, or somebody in it has been erased since. Export anew."
    )

    static let exportNotReady = ApiProblem(
        status: 409,
        code: "not-ready",
        title: "Not ready",
        detail: "The file is still being made, or failed; the export itself says which.",
        retryAfterSeconds: 2
    )

    static func rangeNotSatisfiable(_ bytes: Int64) -> ApiProblem {
        ApiProblem(
            status: 416,
            code: "range-not-satisfiable",
            title: "Beyond the end",
            detail: "The file has \(bytes) bytes."
        )
    }

    static let internalFailure = ApiProblem(
        status: 500,
        code: "internal-failure",
        title: "Internal failure",
        detail: "The companion failed on this request."
    )

    /// The problem that an error stands for.
    static func standing(for error: any Error) -> ApiProblem {
        switch error {
        case let problem as ApiProblem: return problem
        case is RedisFailure: return storeUnavailable
        case ArchiveFailure.deadline: return queryDeadline
        case ArchiveFailure.refused: return internalFailure
        case is ArchiveFailure: return archiveUnavailable
        case let error as any HTTPResponseError: return standing(forStatus: error.status.code)
        default: return internalFailure
        }
    }

    private static func standing(forStatus status: Int) -> ApiProblem {
        switch status {
        case 404: return notFound("There is nothing at this path.")
        case 413: return tooLarge
        case 400..<500:
            return ApiProblem(
                status: status,
                code: "bad-request",
                title: "Bad request",
                detail: "The request could not be understood."
            )
        default: return internalFailure
        }
    }

    private struct Document: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
        let errors: [Place]?
    }

    /// What is wrong in the body, as `errors` lists it.
    private struct Place: Encodable {
        let pointer: String
        let code: String
        let detail: String
        let allowed: [String]?
    }

    func response() -> Response {
        var headers: HTTPFields = [
            .contentType: "application/problem+json", .cacheControl: "no-store",
        ]
        if let seconds = retryAfterSeconds { headers[.retryAfter] = "\(seconds)" }
        if let allow { headers[.allow] = allow }
        if status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"heliograph\"" }
        let document = Document(
            type: "/api/v1/problems/\(code)",
            title: title,
            status: status,
            detail: detail,
            code: code,
            errors: pointer.map {
                [Place(pointer: $0, code: code, detail: detail, allowed: allowed)]
            }
        )
        return Response(
            status: .init(code: status),
            headers: headers,
            // Texts and a number: these can always be written.
            body: ResponseBody(byteBuffer: (try? JSONBody.buffer(document)) ?? ByteBuffer())
        )
    }
}

/// JSON answers.
enum JSONBody {
    /// Throws for a number that JSON has no words for, which is a fault of ours: 500, and a line in the log.
    static func buffer(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func response(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/json; charset=utf-8", .cacheControl: "private, no-store",
            ],
            body: ResponseBody(byteBuffer: try buffer(value))
        )
    }
}
