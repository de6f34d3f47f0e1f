/// An export as the API shows it and as its `.json` twin beside the file keeps it.
struct ExportDocument: Codable, Sendable, Equatable {
    enum State: String, Codable, Sendable {
        case waiting, running, ready, failed

        var isOver: Bool { self == .ready || self == .failed }
    }

    static let idPrefix = "exp_"

    let id: String
    let kind: ExportKind
    let site: String
    let format: TableFormat
    let gzip: Bool
    /// Half open, RFC 3339.
    let from: String
    let to: String
    /// What the kind's rows are narrowed to.
    let filter: String?
    /// The public part of the credential that ordered it.
    let createdBy: String
    /// Epoch milliseconds; a file is of this moment or a later one.
    let createdAt: Int64
    let expiresAt: Int64
    var state = State.waiting
    /// Whether every row that there was is in the file.
    var isComplete = false
    /// Why it is not, or why there is no file.
    var reason: String?
    var rows: Int64 = 0
    /// Size of the file; 0 until it is ready.
    var bytes: Int64 = 0

    enum CodingKeys: String, CodingKey {
        case id, kind, site, format, gzip, from, to, filter, state, reason, rows, bytes
        case createdBy = "created_by"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case isComplete = "complete"
    }

    /// The name that browsers save it under.
    var fileName: String {
        "\(site)-\(kind.rawValue)-\(from.prefix(10)).\(format.rawValue)" + (gzip ? ".gz" : "")
    }

    var mediaType: String {
        gzip ? "application/gzip" : format.mediaType + (format == .csv ? "; charset=utf-8" : "")
    }
}
