import Bytes
import Intake
import Settings
import Telemetry
import Wire

/// What the ingest port answers besides beacons.
extension Listener {
    func serveOther(_ head: RequestHead, _ connection: ConnectionID, keepsAlive: Bool) {
        guard head.method == .get || head.method == .head else {
            let known = isPath(head.path)
            return sendProblem(
                known ? .methodNotAllowed : .pathUnknown,
                head,
                connection,
                keepsAlive,
                allowed: "GET, HEAD"
            )
        }
        let frame = ResponseWriter.Frame(keepsAlive: keepsAlive, isHead: head.method == .head)
        if head.path.equals("/healthz") {
            send(text: "ok\n", type: "text/plain", frame, connection)
        } else if head.path.equals("/readyz") {
            serveReadiness(head, frame, connection)
        } else if head.path.equals("/metrics") {
            send(
                text: metricsPage.text(of: around.metrics, at: loop.nowMilliseconds),
                type: "text/plain; version=0.0.4",
                frame,
                connection
            )
        } else if let place = around.assets.find(head.path) {
            serve(place, head, keepsAlive: keepsAlive, connection)
        } else {
            sendProblem(.pathUnknown, head, connection, keepsAlive)
        }
    }

    private func isPath(_ path: ByteView) -> Bool {
        path.equals("/healthz") || path.equals("/readyz") || path.equals("/metrics")
            || around.assets.find(path) != nil
    }

    func sendProblem(
        _ problem: Problem,
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ keepsAlive: Bool,
        allowed: StaticString = "POST, OPTIONS"
    ) {
        counters.add(problem)
        let frame = ResponseWriter.Frame(
            keepsAlive: keepsAlive,
            allowedOrigin: head.origin.isEmpty ? .empty : ByteView("*"),
            isHead: head.method == .head
        )
        response.problem(problem, at: head.path.text, allowed: allowed, frame)
        send(to: connection)
    }

    private func serveReadiness(
        _ head: RequestHead,
        _ frame: ResponseWriter.Frame,
        _ connection: ConnectionID
    ) {
        if let problem = unreadiness {
            sendProblem(problem, head, connection, frame.keepsAlive)
        } else {
            send(text: "ready\n", type: "text/plain", frame, connection)
        }
    }

    /// Why a balancer should send beacons elsewhere; nil when it need not.
    private var unreadiness: Problem? {
        if around.health.isStopping { return .stopping }
        if !around.health.isReady { return .notReady }
        return around.progress.isFull ? .journalFull : nil
    }

    private func send(
        text: String,
        type: StaticString,
        _ frame: ResponseWriter.Frame,
        _ connection: ConnectionID
    ) {
        var copy = text
        copy.withUTF8 { bytes in
            response.content(type: type, body: ByteView(UnsafeRawBufferPointer(bytes)), frame)
        }
        send(to: connection)
    }

    private func serve(
        _ place: StaticAssets.Place,
        _ head: RequestHead,
        keepsAlive: Bool,
        _ connection: ConnectionID
    ) {
        // Scripts are public, and sites load them with `crossorigin` for subresource integrity.
        let frame = ResponseWriter.Frame(
            keepsAlive: keepsAlive,
            allowedOrigin: ByteView("*"),
            isHead: head.method == .head
        )
        let asset = place.asset
        let variant = asset.variant(accepting: head.acceptEncoding)
        asset.withFields(of: variant, isImmutable: place.isImmutable) { fields in
            if asset.isCurrent(head.ifNoneMatch, variant) {
                response.notModified(fields: fields, frame)
            } else {
                asset.withBody(of: variant) { body in
                    response.content(
                        type: asset.contentType,
                        fields: fields,
                        body: body,
                        frame
                    )
                }
            }
        }
        send(to: connection)
    }
}

/// The text of `/metrics`. Making it costs as much as hundreds of beacons, so all who ask in one round
/// of the loop get the same: many who ask at once take little more time from others than one does.
/// Whatever else the listener answers makes it outdated: who was refused finds it counted.
struct MetricsPage {
    private var last = ""
    private var madeAt: UInt64?

    /// Something was counted since.
    mutating func forget() { madeAt = nil }

    /// The text as of the round that began at loop time `now`.
    mutating func text(of metrics: Metrics, at now: UInt64) -> String {
        if madeAt != now {
            madeAt = now
            last = metrics.prometheusText()
        }
        return last
    }
}
