import Hummingbird

/// A Hummingbird endpoint that takes the body and does nothing with it.
@main
enum Peer {
    private static let bodyBytesMaximum = 1 << 20

    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            fatalError("give the port to listen at as the only argument")
        }
        let router = Router()
        router.post("/v1/e") { request, _ -> HTTPResponse.Status in
            _ = try await request.body.collect(upTo: bodyBytesMaximum)
            return .noContent
        }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port))
        )
        try await application.runService()
    }
}
