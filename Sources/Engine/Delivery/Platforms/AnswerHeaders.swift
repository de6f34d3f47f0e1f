/// What platforms say about waiting in their answers' headers.
struct AnswerHeaders {
    private let fields: [String: String]

    /// Names are compared in lower case (RFC 9110 section 5.1).
    init(_ fields: [String: String]) {
        self.fields = Dictionary(
            fields.map { ($0.key.lowercased(), $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private static let waitSecondsMaximum: Int64 = 86_400

    /// `Retry-After` in seconds (RFC 9110 section 10.2.3); dates are passed over.
    var retryAfterMilliseconds: Int64? {
        guard let text = fields["retry-after"], let seconds = Int64(text), seconds >= 0 else {
            return nil
        }
        return min(seconds, Self.waitSecondsMaximum) * 1_000
    }

    /// When Meta says that there is room again: the longest of all it names, in minutes there.
    var regainMilliseconds: Int64? {
        let minutes = usages.compactMap { $0["estimated_time_to_regain_access"]?.integer }.max()
        guard let minutes, minutes > 0 else { return nil }
        return min(minutes * 60, Self.waitSecondsMaximum) * 1_000
    }

    /// From 95 % of an allowance on nothing is sent for a minute or as long as Meta says; from 75 % on
    /// five seconds lie between requests.
    var restMilliseconds: Int64? {
        switch usages.flatMap(Self.shares).max() ?? 0 {
        case 95...: return max(regainMilliseconds ?? 0, 60_000)
        case 75...: return 5_000
        default: return nil
        }
    }

    private static let usageHeaders = ["x-app-usage", "x-ad-account-usage"]
    private static let shareKeys = ["call_count", "total_cputime", "total_time", "acc_id_util_pct"]

    private static func shares(_ usage: JSONValue) -> [Double] {
        shareKeys.compactMap { usage[$0]?.text.flatMap { Double($0) } }
    }

    /// One object for each allowance: `X-Business-Use-Case-Usage` has lists of them by business.
    private var usages: [JSONValue] {
        let single = Self.usageHeaders.compactMap { fields[$0] }.compactMap {
            JSONValue(Array($0.utf8))
        }
        let business = fields["x-business-use-case-usage"].flatMap { JSONValue(Array($0.utf8)) }
        return single + (business?.members.flatMap(\.value.elements) ?? [])
    }
}
