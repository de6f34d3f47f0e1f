/// Why the bench cannot go on.
enum BenchFailure: Error, CustomStringConvertible {
    case system(String, Int32)
    case unreachable(String, UInt16)
    case addresses(String)
    case redis(String)
    case postgres(String)
    case metrics(String)
    case nginx(String)
    case templates(String)

    var description: String {
        switch self {
        case .system(let call, let code): "\(call) failed with errno \(code)"
        case .unreachable(let host, let port):
            "nobody listens at \(host):\(port); is the engine up?"
        case .addresses(let reason): "addresses file: \(reason)"
        case .redis(let reason): "Redis: \(reason)"
        case .postgres(let reason): "PostgreSQL: \(reason)"
        case .metrics(let reason): "the engine's /metrics: \(reason)"
        case .nginx(let reason): "nginx: \(reason)"
        case .templates(let reason): "beacon templates: \(reason)"
        }
    }
}
