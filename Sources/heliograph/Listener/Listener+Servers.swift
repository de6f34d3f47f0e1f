import Admission
import Bytes
import Intake
import Settings
import Telemetry
import Wire

/// Requests of other senders than the SDK: servers, trackers of other makers, images in e-mails.
extension Listener {
    func serveSender(
        _ endpoint: WireEndpoint,
        _ head: RequestHead,
        _ body: ByteView,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        if head.method == .options { return serveWithoutBeacon(head, connection, session) }
        if endpoint.isImage { return serveImage(endpoint, head, connection, session) }
        guard head.method == .post else { return serveWithoutBeacon(head, connection, session) }
        do throws(Refusal) {
            try admit(head, connection)
            let plain = try inflate(body, head, into: &inflatedOfServers)
            return try take(plain, endpoint, head, connection, session)
        } catch {
            return answer(error, connection, origin: head.origin)
        }
    }

    private func serveImage(
        _ endpoint: WireEndpoint,
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) -> Bool {
        guard head.method == .get else {
            let keepsAlive = session.pointee.parked.keepsAlive
            // HEAD asks about an image without showing it, so nothing has happened.
            if head.method == .head {
                response.image(ResponseWriter.Frame(keepsAlive: keepsAlive, isHead: true))
                send(to: connection)
            } else {
                sendProblem(.methodNotAllowed, head, connection, keepsAlive, allowed: "GET, HEAD")
            }
            return finish(connection, keepsAlive: keepsAlive)
        }
        session.pointee.park { $0.success = .image }
        // Nobody has seen it yet; shown from the browser's store it will not be asked for again, and
        // then it is the page's own beacons that tell.
        if head.isPrefetch {
            counters.add(.imagePrefetched)
            acknowledge(connection, session, position: nil)
            return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
        }
        do throws(Refusal) {
            try admitSender(connection)
            return try take(.empty, endpoint, head, connection, session)
        } catch {
            return answer(error, connection, origin: head.origin)
        }
    }

    private func take(
        _ body: ByteView,
        _ endpoint: WireEndpoint,
        _ head: RequestHead,
        _ connection: ConnectionID,
        _ session: UnsafeMutablePointer<HTTPSession>
    ) throws(Refusal) -> Bool {
        let receipt = receipt(head)
        let outcome = connections.withAddress(of: connection) { address in
            // A replay comes from this machine, wherever the event came from.
            let known = receipt.isReplay ? ByteView.empty : address
            var surroundings = surroundings(endpoint, head, known, receipt.at)
            (surroundings.isReplay, surroundings.isHistory) = (receipt.isReplay, receipt.isHistory)
            return servers.take(body, surroundings, into: &bundle)
        }
        let origin = parkedOrigin(head.origin, site: servers.site)
        session.pointee.park { $0.origin = origin }
        if !endpoint.isImage { prepareBody(session) }
        switch outcome {
        case .slices(let events, let site):
            try admit(bundle, under: pressure)
            try admit(events, visitor: nil, site: site)
            try handOver(bundle, receipt.at, connection, session)
            return true
        case .nothing:
            acknowledge(connection, session, position: nil)
            return finish(connection, keepsAlive: session.pointee.parked.keepsAlive)
        case .refused(let refusal): throw refusal
        }
    }

    private func surroundings(
        _ endpoint: WireEndpoint,
        _ head: RequestHead,
        _ address: ByteView,
        _ receivedAt: Int64
    ) -> ServerRoute.Surroundings {
        ServerRoute.Surroundings(
            request: WireRequest(
                endpoint: endpoint,
                query: head.query,
                contentType: head.contentType,
                referrer: head.referrer
            ),
            path: head.path,
            authorization: head.authorization,
            origin: head.origin,
            userAgent: head.userAgent,
            hasPrivacyControl: head.hasPrivacyControl,
            asksNotToTrack: head.asksNotToTrack,
            acceptLanguage: head.acceptLanguage,
            wantsVerdicts: head.wantsVerdicts,
            address: address,
            receivedAt: receivedAt
        )
    }

    /// The body of the answer: official clients take 200 alone for success, and JSON for its form.
    private func prepareBody(_ session: UnsafeMutablePointer<HTTPSession>) {
        session.pointee.park { $0.success = .body(type: "application/json") }
        if servers.verdicts.count > 0 {
            servers.verdicts.append(to: &session.pointee.body)
        } else {
            session.pointee.body.append("{\"success\":true}\n")
        }
    }
}
