import HTTPTypes
import Hummingbird
import NIOCore

/// What each problem means and what helps: the pages that `type` of a problem document leads to.
struct ProblemPages: Sendable {
    /// One code with its page. Codes are a public contract.
    struct Entry: Sendable {
        let code: String
        let status: Int
        let title: String
        let about: String
        let advice: String

        init(_ code: String, _ status: Int, _ title: String, _ about: String, _ advice: String) {
            (self.code, self.status, self.title) = (code, status, title)
            (self.about, self.advice) = (about, advice)
        }
    }

    static let endpoint = Endpoint(
        .get,
        "/problems/{code}",
        .open,
        "What a problem's code means and what helps, for people."
    ).answering(["type": "string"], type: "text/html")

    func add(to api: ApiRouter) {
        api.add(Self.endpoint) { call in
            let code = call.path("code")
            guard let entry = Self.all.first(where: { $0.code == code }) else {
                throw ApiProblem.notFound("No problem has this code.")
            }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8", .cacheControl: "public, max-age=3600",
                ],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Self.page(entry)))
            )
        }
    }

    /// Texts are ours and hold nothing that HTML reads.
    private static func page(_ entry: Entry) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <title>\(entry.title) (\(entry.code)) · Heliograph</title>
        </head>
        <body>
        <main>
        <h1>\(entry.title)</h1>
        <p>Code <code>\(entry.code)</code>, status \(entry.status).</p>
        <p>\(entry.about)</p>
        <h2>What helps</h2>
        <p>\(entry.advice)</p>
        </main>
        </body>
        </html>

        """
    }

    static let all = ofCallers + ofBodies + ofQuestions + ofStores

    private static let ofCallers: [Entry] = [
        Entry(
            "unauthenticated",
            401,
            "Not signed in",
            "The request carried no credential, or one that is unknown, expired or revoked.",
            "Send a token as Authorization: Bearer hgt_..., or sign in at /welcome."
        ),
        Entry(
            "scope-missing",
            403,
            "Not allowed",
            "The credential is good, and lacks the scope or the sites that this needs.",
            "The detail names the scope. Make a token with it: heliograph token create --scope."
        ),
        Entry(
            "csrf",
            403,
            "Not asked for by our page",
            "A browser's session changes something only when a page of ours asked for it.",
            "Send X-HG-CSRF with the value of /api/v1/me, from a page of the same origin."
        ),
        Entry(
            "token-in-url",
            400,
            "Secret in the address",
            "Addresses are written to logs and histories, so secrets in them are refused.",
            "Revoke the token, make another, and send it as Authorization: Bearer."
        ),
        Entry(
            "rate-limited",
            429,
            "Too many requests",
            "The caller asked more in a short time than it may.",
            "Wait as many seconds as Retry-After says."
        ),
        Entry(
            "wrong-host",
            421,
            "Wrong host",
            "The request names a host that this server is not, as a rebound web page would.",
            "Add the name to companion.hosts of the settings if it is yours."
        ),
        Entry(
            "not-found",
            404,
            "Not found",
            "There is no such thing, or the credential may not see it.",
            "Look at the list that it would be in, and at the sites of the credential."
        ),
        Entry(
            "method-not-allowed",
            405,
            "Method not allowed",
            "The path is known, and not with this method.",
            "The header Allow lists the methods."
        ),
    ]

    private static let ofBodies: [Entry] = [
        Entry(
            "bad-request",
            400,
            "Bad request",
            "The request could not be understood as HTTP.",
            "Look at how it is put together."
        ),
        Entry(
            "invalid-json",
            400,
            "Not JSON",
            "The body cannot be read as JSON in UTF-8.",
            "Check it with a JSON parser."
        ),
        Entry(
            "media-type",
            415,
            "Not JSON",
            "Bodies are taken as application/json only.",
            "Send Content-Type: application/json."
        ),
        Entry(
            "too-large",
            413,
            "Body too large",
            "A body has at most 64 KiB.",
            "Ask in parts."
        ),
        Entry(
            "unknown-field",
            400,
            "Unknown field",
            "The body has a field that nobody reads; ignoring it would answer another question.",
            "errors[0].pointer says where, errors[0].allowed what there is."
        ),
        Entry(
            "invalid-field",
            400,
            "Invalid field",
            "A field of the body is missing or has a value that it cannot have.",
            "errors[0].pointer says where; the detail says what it must be."
        ),
        Entry(
            "invalid-parameter",
            400,
            "Invalid parameter",
            "A parameter of the query is unknown, given twice, or has a value that it cannot have.",
            "The detail names it and says what it must be."
        ),
        Entry(
            "invalid-cursor",
            400,
            "Invalid cursor",
            "A cursor is the next_cursor of an earlier answer, unchanged.",
            "Leave it out to begin anew."
        ),
        Entry(
            "conflict",
            409,
            "Does not fit what there is",
            "The change is well put, and what is stored leaves no room for it.",
            "The detail says what to remove first."
        ),
        Entry(
            "expired",
            410,
            "The file is gone",
            "Exports are kept for a day, and never beyond the erasure of somebody of the site.",
            "Order it anew."
        ),
        Entry(
            "not-ready",
            409,
            "Not ready",
            "The file is still being made, or could not be made.",
            "GET /exports/{id} says which; ask again when its state is ready."
        ),
        Entry(
            "range-not-satisfiable",
            416,
            "Beyond the end",
            "Range asks for a part behind the end of the file.",
            "The detail says how long the file is."
        ),
    ]

    private static let ofQuestions: [Entry] = [
        Entry(
            "unknown-metric",
            400,
            "Unknown metric",
            "The question names a metric that there is not.",
            "errors[0].allowed has the nearest names; GET /schema has all."
        ),
        Entry(
            "unknown-dimension",
            400,
            "Unknown dimension",
            "The question names a dimension that there is not.",
            "errors[0].allowed has the nearest names; GET /schema has all."
        ),
        Entry(
            "invalid-filter",
            400,
            "Invalid filter",
            "The filter is too deep, too long, or not put together as filters are.",
            "errors[0].pointer says where."
        ),
        Entry(
            "invalid-range",
            400,
            "Invalid range",
            "The range, its grain or what it is compared with cannot be read.",
            "Use last, preset, or from and to."
        ),
        Entry(
            "range-too-long",
            422,
            "Range too long",
            "The range is longer than figures are told of.",
            "Ask for a shorter one."
        ),
        Entry(
            "grain-too-fine",
            422,
            "Grain too fine",
            "The range has more buckets of this grain than one answer holds.",
            "Use a coarser grain or a shorter range."
        ),
        Entry(
            "too-many-groups",
            422,
            "Too many groups",
            "The dimensions make more groups and buckets than one answer holds.",
            "Filter, or use fewer dimensions or a coarser grain."
        ),
        Entry(
            "incompatible-fields",
            422,
            "Fields that do not fit",
            "A metric cannot be told apart or restricted by one of the dimensions.",
            "errors[0].allowed has the dimensions that fit."
        ),
    ]

    private static let ofStores: [Entry] = [
        Entry(
            "store-unavailable",
            503,
            "A store is not reachable",
            "Redis or PostgreSQL does not answer. Events are still taken in and nothing is lost.",
            "The detail names the store. Ask again after Retry-After."
        ),
        Entry(
            "query-deadline",
            504,
            "The question took too long",
            "PostgreSQL did not find the answer in time.",
            "Ask about a shorter range, with a coarser grain, or order an export."
        ),
        Entry(
            "audit-unavailable",
            503,
            "Reads cannot be noted",
            "Who reads a person's data is noted in PostgreSQL, which has been away for too long.",
            "Bring PostgreSQL back; figures and scores of everybody are still told."
        ),
        Entry(
            "too-many-streams",
            503,
            "Too many live streams",
            "All live streams of this server are taken.",
            "Close a live page and try again."
        ),
        Entry(
            "internal-failure",
            500,
            "Internal failure",
            "The companion failed on this request. That is a fault of ours.",
            "The log has a line with the Request-Id of the answer."
        ),
    ]
}
