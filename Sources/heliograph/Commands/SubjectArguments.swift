import ArgumentParser
import Bytes
import Foundation
import Privacy
import Storage

/// Who a request of privacy law is about.
struct SubjectArguments: ParsableArguments {
    @Option(help: "Name of the site.")
    var site: String

    @Option(help: "Id of a visitor; may be repeated.")
    var visitor: [String] = []

    @Option(help: "File with an id of a visitor on each line.")
    var visitorsFrom: String?

    @Option(
        help: """
            Id of a user as the site's pages and servers send it: all visitors whose events carried it.
            """
    )
    var user: String?

    @Option(
        name: .customLong("email-sha256"),
        help: """
            SHA-256 of a person's e-mail address as 64 hexadecimal digits: all visitors whose events \
            carried it as the user's id or among their properties.
            """
    )
    var emailSHA256: String?

    func validate() throws {
        if visitor.isEmpty, visitorsFrom == nil, user == nil, emailSHA256 == nil {
            throw ValidationError(
                "Name somebody: --visitor, --visitors-from, --user or --email-sha256."
            )
        }
        if let emailSHA256, !Self.isDigest(emailSHA256) {
            throw ValidationError("--email-sha256 wants 64 hexadecimal digits.")
        }
        let ids = visitor + [user, site].compactMap { $0 }
        if ids.contains(where: { $0.isEmpty || $0.utf8.count > 255 || $0.contains("\n") }) {
            throw ValidationError("An id has 1 to 255 bytes and no line end.")
        }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    /// A request in the form that the engine takes.
    func request(_ action: RightsRequest.Action, data: String) throws -> RightsRequest {
        let now = Moment.now
        let suffix = String(UInt64.random(in: .min ... .max), radix: 16)
        let digests = emailSHA256.map { [$0.lowercased()] } ?? []
        return RightsRequest(
            id: "\(now)-\(suffix)",
            action: action,
            site: site,
            requestedAt: now,
            visitors: try visitors(),
            users: try ([user].compactMap { $0 } + digests).flatMap { try forms($0, data) },
            hashes: digests
        )
    }

    private func visitors() throws -> [String] {
        guard let visitorsFrom else { return visitor }
        guard let content = FileManager.default.contents(atPath: visitorsFrom) else {
            throw CommandError("\(visitorsFrom) cannot be read")
        }
        let lines = String(decoding: content, as: UTF8.self).split(whereSeparator: \.isNewline)
        return visitor + lines.map(String.init).filter { !$0.isEmpty && $0.utf8.count <= 255 }
    }

    /// An id as it is, and the name that stands for it where it may not be kept.
    private func forms(_ id: String, _ data: String) throws -> [String] {
        var names = Pseudonymizer(secret: try PseudonymSecret.load(directory: data))
        var name = ByteBuffer(capacity: 128, limit: 256)
        Array(site.utf8).withUnsafeBytes { site in
            Array(id.utf8).withUnsafeBytes { id in
                names.append(user: ByteView(id), site: ByteView(site), into: &name)
            }
        }
        return [id, name.view.text]
    }
}

/// A request that was handed to the engine of a data folder.
struct HandedRequest {
    let request: RightsRequest
    let folder: RightsFolder

    /// Hands the request over, whether an engine runs or not.
    init(_ request: RightsRequest, data: String) throws(CommandError) {
        self.request = request
        folder = RightsFolder(data: data)
        try folder.make()
        try folder.put(request)
    }

    /// Waits until the engine has carried it out, showing how far it is. Returns the receipt's file.
    func wait(data: String, isSilent: Bool) throws(CommandError) -> String {
        var shown = RightsStatus(phase: "")
        while folder.receipt(of: request.id) == nil {
            _ = try RunningEngine.addresses(data)
            if let status = folder.status(of: request.id), status != shown {
                shown = status
                if !isSilent { Console.note(Self.text(status)) }
            }
            Pause.milliseconds(100)
        }
        return folder.receiptPath(request.id)
    }

    private static func text(_ status: RightsStatus) -> String {
        status.total > 0 ? "\(status.phase): \(status.done) of \(status.total)" : status.phase
    }
}
