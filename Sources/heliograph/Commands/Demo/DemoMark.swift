import Foundation

/// What a site's past was made from, in a file of the data folder: so that a run that was cut short is
/// taken up where it ended, and one that was not is not repeated.
struct DemoMark: Codable, Equatable {
    let seed: UInt64
    let days: Int
    let visitors: Int
    /// The end of the past, epoch milliseconds.
    let end: Int64
    var isWhole = false

    static func path(_ data: String, _ site: String) -> String { "\(data)/demo-seed-\(site).json" }

    static func read(_ data: String, _ site: String) -> DemoMark? {
        FileManager.default.contents(atPath: path(data, site)).flatMap {
            try? JSONDecoder().decode(DemoMark.self, from: $0)
        }
    }

    func write(_ data: String, _ site: String) throws(FileProblem) {
        let text = String(decoding: (try? JSONEncoder().encode(self)) ?? Data(), as: UTF8.self)
        try Files.write(text, to: Self.path(data, site), mode: 0o600)
    }
}
