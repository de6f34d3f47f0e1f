/// What Meta's answers mean (conversions.md 1.8): by code, not by text, and not by the status alone.
enum MetaAnswer {
    /// Retries of what Meta calls unknown or temporary.
    private static let attemptsMaximum = 8
    /// Time ends these retries, not their number.
    private static let attemptsOfTransport = Int.max
    private static let policyPauseMilliseconds: Int64 = 3_600_000
    private static let textScalarsMaximum = 200

    static func read(_ answer: Answer, sent: Int) -> Ruling {
        switch answer {
        case .failure(let failure, let mayHaveArrived):
            return .retry(
                code: failure.rawValue,
                afterMilliseconds: nil,
                attemptsMaximum: attemptsOfTransport,
                mayHaveArrived: mayHaveArrived
            )
        case .response(let status, let headers, let body):
            return read(status, AnswerHeaders(headers), JSONValue(body), sent)
        }
    }

    private static func read(
        _ status: Int,
        _ headers: AnswerHeaders,
        _ body: JSONValue?,
        _ sent: Int
    ) -> Ruling {
        if let error = body?["error"], case .object = error {
            return read(MetaError(error), status, headers)
        }
        if (200...299).contains(status) { return accepted(body, sent) }
        if status == 429 { return limited("http-429", headers) }
        if status == 413 { return .split(code: "http-413") }
        return .retry(
            code: "http-\(status)",
            afterMilliseconds: headers.retryAfterMilliseconds,
            attemptsMaximum: status >= 500 ? attemptsOfTransport : attemptsMaximum,
            mayHaveArrived: status >= 500
        )
    }

    /// Fewer received than sent cannot be told apart, and sending all again would count some twice.
    private static func accepted(_ body: JSONValue?, _ sent: Int) -> Ruling {
        guard let received = body?["events_received"]?.integer else {
            return .retry(
                code: "unreadable-answer",
                afterMilliseconds: nil,
                attemptsMaximum: attemptsMaximum,
                mayHaveArrived: true
            )
        }
        guard received == Int64(sent) else {
            return .inDoubt(code: "received-\(received)-of-\(sent)")
        }
        let messages = body?["messages"]?.elements.compactMap(\.text) ?? []
        return .delivered(
            remark: messages.isEmpty ? nil : shortened(messages.joined(separator: "; ")),
            trace: body?["fbtrace_id"]?.text.map(shortened)
        )
    }

    private static func shortened(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(textScalarsMaximum)))
    }

    private static func limited(_ code: String, _ headers: AnswerHeaders) -> Ruling {
        let hints = [headers.regainMilliseconds, headers.retryAfterMilliseconds].compactMap { $0 }
        return .pause(code: code, forMilliseconds: hints.max(), alert: false)
    }

    private static let limits: Set<Int64> = [4, 17, 32, 341, 613, 80_000, 80_003, 80_004, 80_014]

    private static func read(
        _ error: MetaError,
        _ status: Int,
        _ headers: AnswerHeaders
    ) -> Ruling {
        guard let code = error.code else { return again(error, status) }
        if limits.contains(code) || status == 429 { return limited(error.name, headers) }
        switch code {
        case 368:
            return .pause(
                code: error.name,
                forMilliseconds: policyPauseMilliseconds,
                alert: true
            )
        case 190, 102, 104: return .stop(code: error.name, reason: "token-refused")
        case 2635: return .stop(code: error.name, reason: "upgrade-version")
        case 3, 10, 200...299: return .stop(code: error.name, reason: "not-permitted")
        default: break
        }
        if error.isTransient { return again(error, status) }
        if code == 100 { return invalid(error) }
        if code == 105 || status == 413 { return .split(code: error.name) }
        return again(error, status)
    }

    /// Meta said that it failed, so nothing was taken.
    private static func again(_ error: MetaError, _ status: Int) -> Ruling {
        .retry(
            code: error.code == nil ? "http-\(status)" : error.name,
            afterMilliseconds: nil,
            attemptsMaximum: attemptsMaximum,
            mayHaveArrived: false
        )
    }

    /// One event has an invalid parameter. Which one, answers do not reliably say.
    private static func invalid(_ error: MetaError) -> Ruling {
        let (end, reason): (Fault.End, String)
        switch error.subcode {
        case 33: return .stop(code: error.name, reason: "not-permitted")
        case 2_804_001: (end, reason) = (.resendWithoutClickID, "invalid-click-id")
        case 2_804_003: (end, reason) = (.expired, "too-old")
        case 2_804_009, 2_804_010: (end, reason) = (.dead, "invalid-purchase")
        case 2_804_050: (end, reason) = (.dead, "unmatched")
        default: (end, reason) = (.dead, error.title.map(shortened) ?? "invalid-parameter")
        }
        return .bisect(
            alone: Fault(
                end: end,
                code: error.name,
                reason: reason,
                trace: error.trace.map(shortened)
            )
        )
    }
}

/// The members of Meta's `error` that decide.
private struct MetaError {
    let code: Int64?
    let subcode: Int64?
    let isTransient: Bool
    let title: String?
    let trace: String?

    init(_ tree: JSONValue) {
        code = tree["code"]?.integer
        subcode = tree["error_subcode"]?.integer
        isTransient = tree["is_transient"]?.flag ?? false
        title = tree["error_user_title"]?.text
        trace = tree["fbtrace_id"]?.text
    }

    /// `code` or `code/subcode`.
    var name: String {
        let code = code.map { "\($0)" } ?? "none"
        return subcode.map { "\(code)/\($0)" } ?? code
    }
}

extension Destination {
    /// How long a destination should rest although nothing was refused: nil where its platform gives no
    /// such hint, or there is room yet.
    public func restMilliseconds(after answer: Answer) -> Int64? {
        guard case .response(_, let headers, _) = answer else { return nil }
        return AnswerHeaders(headers).restMilliseconds
    }
}
