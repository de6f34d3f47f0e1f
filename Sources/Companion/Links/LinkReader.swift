import Foundation
import Settings

/// Reads which browsers may be one person's from PostgreSQL. Nothing of it is kept: the same rows say
/// the same at the same moment, and what is erased or no longer allowed is gone with its rows.
struct LinkReader: Sendable {
    let archive: ArchiveReaders

    /// The likely links of a visitor as of `now`, epoch milliseconds; none where it allows none.
    func links(of visitor: String, site: String, now: Int64) async throws -> [LikelyLink] {
        let numbers = [
            now - Limits.linkWindowMilliseconds, now, Int64(Limits.linkRowsMaximum),
            Int64(Limits.linkNetworksMaximum), Int64(Limits.linkListMaximum),
            Int64(Limits.linkCrowdMaximum), Int64(Limits.linkScanMaximum),
            Int64(Limits.linkCandidatesMaximum),
        ]
        let parameters = [site, visitor] + numbers.map { "\($0)" }
        return Self.links(try await archive.ask([ArchiveQuery(Self.candidates, parameters)])[0])
    }

    /// The first row is of the visitor itself, and has the crowds of its networks.
    static func links(_ rows: [ArchiveRow]) -> [LikelyLink] {
        guard let crowds = decode([String: Int].self, rows.first?[1]) else { return [] }
        let traits = rows.compactMap { decode(LinkTraits.self, $0[0]) }
        guard let own = traits.first else { return [] }
        return LinkJudge.links(of: own, to: Array(traits.dropFirst()), crowds: crowds)
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String??) -> Value? {
        guard case .some(.some(let text)) = text else { return nil }
        return try? JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private static let candidates: StaticString = """
        SELECT traits, crowds FROM heliograph.link_candidates($1, $2,
            to_timestamp($3::bigint / 1000.0), to_timestamp($4::bigint / 1000.0), $5::bigint,
            $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint)
        """
}
