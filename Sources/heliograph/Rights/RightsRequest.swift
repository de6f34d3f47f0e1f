import Foundation
import Glibc
import Records

/// A request of privacy law on its way to the engine: a file that only we can read, in a folder of the
/// data folder. It stays until the request is carried out, so an end of the process at any instant
/// loses nothing; it is overwritten before it goes, because it names the persons.
struct RightsRequest: Codable {
    enum Action: String, Codable {
        case erase, restrict, lift
        /// A visitor is no longer read as part of a person, or is again.
        case part, rejoin

        /// What the journal is told of each visitor; nil for what is about persons as a whole.
        var order: Erasure.Order? {
            switch self {
            case .erase, .restrict, .lift: nil
            case .part: .part
            case .rejoin: .rejoin
            }
        }
    }

    let id: String
    let action: Action
    let site: String
    let requestedAt: Int64
    /// Ids of visitors, those found for the users among them once they are known.
    var visitors: [String]
    /// Ids of users, in every form that events may carry.
    let users: [String]
    /// Digests of e-mail addresses as events may carry them.
    let hashes: [String]
    /// Whether the visitors of the users have been looked for.
    var isResolved = false
    /// Whether it was begun before, by a process that has ended since.
    var isResumed = false
}

/// What a request has come to.
struct RightsStatus: Codable, Equatable {
    var phase: String
    var done = 0
    var total = 0
}

/// The folders that requests, their progress and receipts lie in.
struct RightsFolder {
    private let requests: String
    private let receipts: String
    /// A restore left a list to be held against everything that was restored.
    private let sweepPath: String

    init(data: String) {
        requests = data + "/erasures"
        receipts = data + "/receipts"
        sweepPath = data + "/erasures.sweep"
    }

    func make() throws(CommandError) {
        try BackupFiles.makeDirectory(requests)
        try BackupFiles.makeDirectory(receipts)
    }

    // MARK: - Requests

    private func path(_ id: String) -> String { "\(requests)/\(id).json" }
    private func statusPath(_ id: String) -> String { "\(requests)/\(id).status" }
    func receiptPath(_ id: String) -> String { "\(receipts)/\(id).json" }

    /// Hands a request over: whole or not at all.
    func put(_ request: RightsRequest) throws(CommandError) {
        try replace(path(request.id), with: request.jsonText)
        try BackupFiles.synchronize(requests)
    }

    /// The oldest request that is to be carried out.
    func next() -> RightsRequest? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return Files.names(in: requests).filter { $0.hasSuffix(".json") }.sorted().lazy
            .compactMap { name in
                FileManager.default.contents(atPath: "\(requests)/\(name)")
                    .flatMap { try? decoder.decode(RightsRequest.self, from: $0) }
            }.first
    }

    /// Whether any request waits.
    var isEmpty: Bool { !Files.names(in: requests).contains { $0.hasSuffix(".json") } }

    /// Takes a request away that is done, bytes first.
    func remove(_ id: String) throws(CommandError) {
        for path in [path(id), statusPath(id)] {
            let size = (FileManager.default.contents(atPath: path)?.count) ?? 0
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { continue }
            let zeros = [UInt8](repeating: 0, count: size)
            _ = pwrite(file, zeros, size, 0)
            _ = fsync(file)
            close(file)
            unlink(path)
        }
        try BackupFiles.synchronize(requests)
    }

    // MARK: - Progress and receipts

    func note(_ status: RightsStatus, of id: String) {
        try? replace(statusPath(id), with: status.jsonText)
    }

    func status(of id: String) -> RightsStatus? {
        guard let content = FileManager.default.contents(atPath: statusPath(id)) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(RightsStatus.self, from: content)
    }

    func write(_ receipt: SignedReceipt) throws(CommandError) {
        try replace(receiptPath(receipt.receipt.request), with: receipt.jsonText)
        try BackupFiles.synchronize(receipts)
    }

    func receipt(of id: String) -> String? {
        FileManager.default.contents(atPath: receiptPath(id)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func replace(_ path: String, with text: String) throws(CommandError) {
        let draft = path + ".tmp"
        unlink(draft)
        try BackupFiles.write(text, to: draft)
        guard rename(draft, path) == 0 else { throw .last("cannot write \(path)") }
    }

    // MARK: - After a restore

    /// From the next start on everything that was restored is held against the list, before anybody
    /// is served.
    func wantSweep() throws(CommandError) {
        unlink(sweepPath)
        try BackupFiles.write("Erasures are to be made again after a restore.\n", to: sweepPath)
    }

    var isSweepWanted: Bool { access(sweepPath, F_OK) == 0 }

    func endSweep() { unlink(sweepPath) }
}
