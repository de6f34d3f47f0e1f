import Foundation
import HTTPTypes
import Hummingbird
import Settings
import Telemetry
import Units

/// Rows as files: ordered, looked at, fetched and taken away.
struct ExportRoutes: Sendable {
    private let desk: ExportDesk
    private let writers: ArchiveReaders
    private let sites: [Site]
    private let time: TimeSource

    init(_ desk: ExportDesk, _ queries: QueryRoutes, writers: ArchiveReaders) {
        (self.desk, self.writers) = (desk, writers)
        (sites, time) = (queries.sites, queries.time)
    }

    private static let export = Schemas.open(
        "id",
        "kind",
        "site",
        "format",
        "state",
        "complete",
        "rows",
        "bytes"
    )

    static let begin = Endpoint(
        .post,
        "/exports",
        .scope(.export),
        "Orders a file of rows; what tells of single persons needs read:visitors besides."
    ).takingBody([
        "type": "object", "required": ["site", "kind"], "additionalProperties": false,
        "properties": [
            "site": ["type": "string"],
            "kind": ["enum": .words(ExportKind.allCases.map(\.rawValue))],
            "format": ["enum": .words(TableFormat.allCases.map(\.rawValue))],
            "gzip": ["type": "boolean"], "range": ["type": "object"],
            "filter": ["type": "object"],
        ],
    ]).answering(export, status: .accepted)

    static let all = Endpoint(
        .get,
        "/exports",
        .scope(.export),
        "Exports of the sites and kinds that the caller sees, newest first."
    ).answering(Schemas.list("exports", of: export))

    static let one = Endpoint(.get, "/exports/{id}", .scope(.export), "How an export is doing.")
        .answering(export)

    static let file = Endpoint(
        .get,
        "/exports/{id}/file",
        .scope(.export),
        "The file, whole or in parts by Range; kept for a day."
    ).answering(["type": "string"], type: "text/csv").orAnswering(
        "application/x-ndjson",
        "application/gzip"
    )

    static let remove = Endpoint(
        .delete,
        "/exports/{id}",
        .scope(.export),
        "Takes an export away, also while it is being made."
    ).answering(Schemas.open("id", "removed"))

    func add(to api: ApiRouter) {
        api.add(Self.begin) { call in try await begin(call) }
        api.add(Self.all) { call in
            let grant = try call.caller()
            let seen = desk.list { grant.reaches($0) }.filter {
                grant.scopes.contains($0.kind.scope)
            }
            return try JSONBody.response(["exports": seen])
        }
        api.add(Self.one) { call in try JSONBody.response(find(call)) }
        api.add(Self.file) { call in try await file(call) }
        api.add(Self.remove) { call in
            let export = try find(call)
            desk.remove(export.id)
            try await note(call, "export-removed", export)
            return try JSONBody.response(["id": JSONValue.string(export.id), "removed": true])
        }
    }

    // MARK: - Orders

    private func begin(_ call: Call) async throws -> Response {
        let export = try order(
            await RequestParameters.body(of: call.request),
            call.parameters,
            call.caller()
        )
        // Who ordered what is noted before there is anything.
        try await note(call, "export-ordered", export)
        try desk.begin(export)
        var response = try JSONBody.response(export)
        response.status = .accepted
        return response
    }

    private func order(_ body: JSONValue, _ parameters: RequestParameters, _ grant: Grant) throws
        -> ExportDocument
    {
        var fields = try FieldReader(body)
        guard let name = try fields.text("site") else {
            throw ApiProblem.invalidField("/site", "is missing; name one of your sites")
        }
        let site = sites[try parameters.site(named: name, grant)]
        let kind: ExportKind = try Self.choice("kind", &fields)
        if !grant.scopes.contains(kind.scope) { throw ApiProblem.scopeMissing(kind.scope) }
        let format: TableFormat = try Self.choice("format", &fields, standard: .csv)
        let isPacked = try fields.truth("gzip") ?? false
        let now = time.epochMilliseconds()
        let range = try QueryRange(
            fields.value("range") ?? ["last": "28d", "include_today": true],
            now: Date(timeIntervalSince1970: Double(now) / 1_000),
            zone: TimeZone(identifier: site.timeZone) ?? .gmt
        )
        let filter = try Self.filter(kind, &fields)
        try fields.end()
        return ExportDocument(
            id: ExportDocument.idPrefix + UUID().uuidString.lowercased().filter { $0 != "-" },
            kind: kind,
            site: name,
            format: format,
            gzip: isPacked,
            from: QueryStatement.moment(range.from),
            to: QueryStatement.moment(range.to),
            filter: filter,
            createdBy: grant.id,
            createdAt: now,
            expiresAt: now + Limits.exportKeptMilliseconds
        )
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        _ fields: inout FieldReader,
        standard: Choice? = nil
    ) throws -> Choice where Choice.RawValue == String {
        let word = try fields.text(name)
        if word == nil, let standard { return standard }
        guard let found = word.flatMap(Choice.init) else {
            let known = Choice.allCases.map(\.rawValue)
            throw ApiProblem.field("invalid-field", "/\(name)", "is none that there is", known)
        }
        return found
    }

    private static func filter(_ kind: ExportKind, _ fields: inout FieldReader) throws -> String? {
        guard let value = fields.value("filter") else { return nil }
        var own = try FieldReader(value, at: "/filter")
        let wanted = try own.text(kind.filter)
        try own.end()
        if (wanted?.utf8.count ?? 0) > Limits.queryFilterValueBytesMaximum {
            throw ApiProblem.invalidField("/filter/\(kind.filter)", "is too long")
        }
        return wanted
    }

    private func note(_ call: Call, _ action: String, _ export: ExportDocument) async throws {
        let subject = "\(export.site)/\(export.kind.rawValue)/\(export.id)"
        _ = try await writers.ask([
            AccessArchive.change(try call.caller(), action, subject)
        ])
    }

    // MARK: - Files

    /// What the caller may not see does not exist.
    private func find(_ call: Call) throws -> ExportDocument {
        let (id, grant) = (call.path("id"), try call.caller())
        guard let export = desk.find(id), grant.reaches(export.site),
            grant.scopes.contains(export.kind.scope)
        else { throw ApiProblem.notFound("There is no export \(id.prefix(64)).") }
        return export
    }

    private func file(_ call: Call) async throws -> Response {
        let export = try find(call)
        guard export.state == .ready else { throw ApiProblem.exportNotReady }
        let isOld = export.expiresAt <= time.epochMilliseconds()
        let isOvertaken = try await desk.isOvertaken(export)
        if isOld || isOvertaken {
            desk.remove(export.id)
            throw ApiProblem.expiredExport
        }
        try await note(call, "export-fetched", export)
        let tag = "\"\(export.id)\""
        var headers: HTTPFields = [
            .contentType: export.mediaType, .cacheControl: "private, no-store", .eTag: tag,
            .acceptRanges: "bytes",
            .contentDisposition: "attachment; filename=\"\(export.fileName)\"",
        ]
        let condition = HTTPField.Name("If-Range").flatMap { call.request.headers[$0] }
        let range = condition.map { $0 == tag } ?? true ? call.request.headers[.range] : nil
        let part = try range.flatMap { try ByteSpan($0, of: export.bytes) }
        if let part {
            headers[.contentRange] = "bytes \(part.first)-\(part.last)/\(export.bytes)"
        }
        let wanted = part ?? ByteSpan(first: 0, last: export.bytes - 1)
        return Response(
            status: part == nil ? .ok : .partialContent,
            headers: headers,
            body: wanted.isEmpty
                ? ResponseBody()
                : try await FileIO().loadFile(
                    path: desk.path(export),
                    range: Int(wanted.first)...Int(wanted.last),
                    context: call.context
                )
        )
    }
}

/// A part of a file, both ends in it (RFC 9110, section 14).
struct ByteSpan: Equatable {
    let first: Int64
    let last: Int64

    var isEmpty: Bool { last < first }

    init(first: Int64, last: Int64) { (self.first, self.last) = (first, last) }

    /// The part that `Range` asks for; nil where the whole is to be given: several parts, another unit, or
    /// no range at all. Throws where there is nothing at that place.
    init?(_ header: String, of bytes: Int64) throws {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.allSatisfy(\.isNumber) }) else { return nil }
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (let from?, let to?) where from <= to:
            (first, last) = (from, min(to, bytes - 1))
        case (let from?, nil) where ends[1].isEmpty: (first, last) = (from, bytes - 1)
        case (nil, let count?) where ends[0].isEmpty:
            (first, last) = (max(0, bytes - count), bytes - 1)
        default: return nil
        }
        if isEmpty { throw ApiProblem.rangeNotSatisfiable(bytes) }
    }
}
