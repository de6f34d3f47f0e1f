import Bytes
import Enrichment
import Intake
import Telemetry
import Wire

/// Tracking links: `/r/<name>` sends on to the target in the settings and counts that it did.
extension Listener {
    func serveLink(
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        let keepsAlive = session.pointee.parked.keepsAlive
        guard head.method == .get || head.method == .head else {
            sendProblem(.methodNotAllowed, head, connection, keepsAlive, allowed: "GET, HEAD")
            return finish(connection, keepsAlive: keepsAlive)
        }
        do throws(Refusal) {
            try admitSender(connection)
        } catch {
            return answer(error, connection, origin: .empty)
        }
        let frame = ResponseWriter.Frame(keepsAlive: keepsAlive, isHead: head.method == .head)
        if let link = edge.edge.links.find(head.path) {
            follow(link, head, frame, connection)
        } else {
            counters.add(.pathUnknown)
            writeUnknownLink(frame)
        }
        send(to: connection)
        return finish(connection, keepsAlive: keepsAlive)
    }

    private func follow(
        _ link: TrackingLink,
        _ head: RequestHead,
        _ frame: ResponseWriter.Frame,
        _ connection: ConnectionID
    ) {
        var location = link.location(carrying: head.query)
        location.withUTF8 {
            response.redirect(to: ByteView(UnsafeRawBufferPointer($0)), frame)
        }
        // HEAD asks where a link leads without going there; a prefetch may never be looked at.
        if frame.isHead || head.isPrefetch { return }
        connections.withAddress(of: connection) { address in
            let isProgram = sender.judge(facts(head, address)).band != .human
            around.clicks.add(link, isProgram: isProgram)
        }
    }

    private func writeUnknownLink(_ frame: ResponseWriter.Frame) {
        response.content(
            status: 404,
            type: "text/html; charset=utf-8",
            fields: ByteView(
                """
                Cache-Control: no-store\r\n\
                Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n
                """
            ),
            body: ByteView(
                """
                <!doctype html><html lang="en"><head><title>Link not found</title>
                <meta name="viewport" content="width=device-width">
                <meta name="color-scheme" content="light dark"></head><body><main>
                <h1>This link leads nowhere</h1>
                <p>It may have been mistyped, or it is no longer in use.</p>
                </main></body></html>

                """
            ),
            frame
        )
    }
}
