import Foundation
import Logging
import Records
import Scoring
import Settings
import Telemetry
import Units

@testable import Companion

/// A companion that listens at a free port, with pages written for the test and a real Redis.
final class RunningCompanion {
    let redis: RedisServer
    let server: CompanionServer
    let metrics = Metrics()
    let owner = AccessToken(.token)
    let port: Int
    private let pages: String

    init(scorer: @escaping StateScorer = { _, _, _ in nil }, hasHub: Bool = true) throws {
        redis = try RedisServer()
        pages = NSTemporaryDirectory() + "hgp-" + UUID().uuidString.prefix(8)
        try Self.writePages(pages)
        var settings = HeliographSettings()
        settings.companion.port = 0
        settings.companion.pages = pages
        settings.companion.hub = hasHub ? "\(pages)/hub" : "\(pages)/none"
        let model = try Self.model()
        server = try CompanionServer(
            settings: settings,
            redisURL: Secret(redis.url),
            exports: "\(pages)/exports",
            ingestURL: "http://127.0.0.1:8600",
            owner: owner,
            metrics: metrics,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            time: .real,
            scorer: scorer,
            model: { model }
        )
        port = try server.start()
    }

    deinit {
        server.stop(deadlineMilliseconds: 20_000)
        try? FileManager.default.removeItem(atPath: pages)
    }

    /// The product's own scoring, found from the place of this source.
    private static func model() throws -> ScoringModel {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return ScoringModel(try ScoringFile.load(path: "/\(root)/config/scoring.yaml"))
    }

    private static func writePages(_ folder: String) throws {
        let files = [
            "live/index.html": "<title>live</title>", "live/live.js": "1",
            "install/index.html": "{{site}} {{seen}}",
            "demo/index.html": "<script src=\"{{ingest}}/hg.js\"></script>",
            "demo/shop.css": "{{ingest}}", "demo/secret.pem": "no",
            "hub/index.html": "<hg-shell>{{ingest}}", "hub/index.html.gz": "small",
            "hub/hub.css": "a{}", "hub/part-AB12.js": "1", "hub/hub.js": "1",
            "hub/hub.js.gz": "small", "hub/manifest.json": "{}",
        ]
        for (name, text) in files {
            let path = "\(folder)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    /// The header line of whoever runs the engine.
    var ownerHeader: String { owner.secret.expose { "Authorization: Bearer \($0)\r\n" } }

    /// One request, by the owner unless somebody else is named.
    func get(
        _ path: String,
        method: String = "GET",
        host: String = "127.0.0.1",
        headers: String = "",
        caller: String? = nil
    ) throws -> TestClient.Answer {
        let headers = (caller ?? ownerHeader) + headers
        return try TestClient.get(path, port: port, method: method, host: host, headers: headers)
    }

    /// One request with a body, by the owner.
    func post(
        _ path: String,
        _ body: String,
        type: String = "application/json"
    ) throws -> TestClient.Answer {
        let headers = "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
        return try TestClient.get(
            path,
            port: port,
            method: "POST",
            headers: ownerHeader + headers,
            body: body
        )
    }

    /// Opens a live stream and reads its greeting.
    func stream(headers: String = "", receiveBufferBytes: Int32? = nil) throws -> TestClient {
        let client = try TestClient(port: port, receiveBufferBytes: receiveBufferBytes)
        client.send(
            "GET /api/v1/live?site=demo HTTP/1.1\r\nHost: localhost\r\n\(ownerHeader)\(headers)\r\n"
        )
        return client
    }

    /// Waits until Redis counts `count` subscribers of the site's channel.
    func awaitSubscribers(_ count: Int64) throws {
        for _ in 0..<4_000 {
            let reply = try redis.ask([["PUBSUB", "NUMSUB", "hg:demo:live"]])
            if reply[0].elements.last == .integer(count) { return }
            usleep(5_000)
        }
        throw Missing(what: "\(count) subscribers of the live channel")
    }

    /// What a test waited for in vain.
    struct Missing: Error {
        let what: String
    }
}

func json(_ text: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
}
