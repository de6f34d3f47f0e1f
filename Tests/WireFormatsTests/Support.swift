import Bytes
import TestSupport

@testable import Wire

/// An event as a format reads it, in a form that tests can compare.
struct Heard: Equatable {
    var call: EventCall
    var messageID: String
    var visitor: String
    var user: String
    var name: String
    var timestamp: String
    var url: String
    var properties: String
    var traits: String

    init(_ event: IncomingEvent) {
        call = event.call
        messageID = event.messageID.text
        visitor = event.anonymousID.text
        user = event.userID.text
        name = event.name.text
        timestamp = event.timestamp.text
        url = event.url.text
        properties = event.properties.text
        traits = event.traits.text
    }
}

/// A request as a format reads it.
struct HeardBatch {
    var key = ""
    var sentAt = ""
    var events: [Result<Heard, WireFault>] = []

    var taken: [Heard] { events.compactMap { try? $0.get() } }

    var faults: [WireFault] {
        events.compactMap { outcome in
            if case .failure(let fault) = outcome { return fault }
            return nil
        }
    }
}

func hear<Format: WireFormat>(
    _ format: Format.Type,
    _ endpoint: WireEndpoint,
    _ body: String = "",
    query: String = "",
    contentType: String = "application/json",
    referrer: String = ""
) throws -> HeardBatch {
    try withView(body) { body in
        try withView(query) { query in
            try withView(contentType) { contentType in
                try withView(referrer) { referrer in
                    let request = WireRequest(
                        endpoint: endpoint,
                        query: query,
                        contentType: contentType,
                        referrer: referrer
                    )
                    return try hear(format, body, request)
                }
            }
        }
    }
}

private func hear<Format: WireFormat>(
    _ format: Format.Type,
    _ body: ByteView,
    _ request: WireRequest
) throws -> HeardBatch {
    var scratch = ByteBuffer(capacity: 256, limit: 64 * 1024)
    let batch = try Format.open(body, request, &scratch)
    var heard = HeardBatch(key: batch.key.text, sentAt: batch.sentAt.text)
    var items = WireItems(batch)
    while let item = items.next() {
        heard.events.append(Format.read(item, of: batch).map(Heard.init))
    }
    return heard
}

/// Hands the bytes of a text to `body`, which may throw.
func withView<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows -> Result {
    try Array(text.utf8).withUnsafeBytes { try body(ByteView($0)) }
}
