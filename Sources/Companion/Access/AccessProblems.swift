/// What is said to callers who may not, and about bodies that cannot be read.
extension ApiProblem {
    static let unauthenticated = ApiProblem(
        status: 401,
        code: "unauthenticated",
        title: "Not signed in",
        detail: "Send a valid token as Authorization: Bearer hgt_..., or sign in at /welcome."
    )

    static func scopeMissing(_ scope: Scope) -> ApiProblem {
        ApiProblem(
            status: 403,
            code: "scope-missing",
            title: "Not allowed",
            detail: "This needs the scope \(scope.rawValue), which this credential has not got."
        )
    }

    static let changeNotAsked = ApiProblem(
        status: 403,
        code: "csrf",
        title: "Not asked for by our page",
        detail: "A change by a signed-in browser needs X-HG-CSRF with the value of /api/v1/me."
    )

    static let everySiteNeeded = ApiProblem(
        status: 403,
        code: "scope-missing",
        title: "Not allowed",
        detail: "Tokens and the audit log are of every site; this credential sees some only."
    )

    static let moreThanOwn = ApiProblem(
        status: 403,
        code: "scope-missing",
        title: "Not allowed",
        detail: "A token can be given no scope and no site that its maker has not got."
    )

    static let tokenInURL = ApiProblem(
        status: 400,
        code: "token-in-url",
        title: "Secret in the address",
        detail:
            "Addresses are logged. Send the token as Authorization: Bearer, and revoke this one."
    )

    static func rateLimited(_ seconds: Int) -> ApiProblem {
        ApiProblem(
            status: 429,
            code: "rate-limited",
            title: "Too many requests",
            detail: "Wait as long as Retry-After says.",
            retryAfterSeconds: seconds
        )
    }

    static let auditFull = ApiProblem(
        status: 503,
        code: "audit-unavailable",
        title: "Reads cannot be noted",
        detail:
            "Whoever reads a person's data is noted in PostgreSQL, which has been away too long.",
        retryAfterSeconds: 5
    )

    static let tooLarge = ApiProblem(
        status: 413,
        code: "too-large",
        title: "Body too large",
        detail: "A body has at most 64 KiB here."
    )

    static let mediaType = ApiProblem(
        status: 415,
        code: "media-type",
        title: "Not JSON",
        detail: "Bodies are taken as application/json only."
    )

    static let invalidJSON = ApiProblem(
        status: 400,
        code: "invalid-json",
        title: "Not JSON",
        detail: "The body cannot be read as JSON in UTF-8."
    )

    static func invalidField(_ pointer: String, _ detail: String) -> ApiProblem {
        field("invalid-field", pointer, detail)
    }

    static func unknownField(_ pointer: String, _ known: [String]) -> ApiProblem {
        field("unknown-field", pointer, "is not known here", known)
    }

    /// Something wrong at one place of the body.
    static func field(
        _ code: String,
        _ pointer: String,
        _ detail: String,
        _ allowed: [String]? = nil,
        status: Int = 400
    ) -> ApiProblem {
        ApiProblem(
            status: status,
            code: code,
            title: "The body cannot be followed",
            detail: "\(pointer.isEmpty ? "The body" : pointer) \(detail)",
            pointer: pointer,
            allowed: allowed
        )
    }
}
