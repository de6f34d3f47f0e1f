public import Records

extension DestinationSettings {
    /// Whose rules of consent apply.
    public var gateKind: DestinationGate.Kind {
        switch platform {
        case .meta: return .meta
        case .googleAnalytics: return .ga4
        case .webhook: return .webhook
        }
    }

    /// What the site chose where the rules leave a choice.
    public var gateOptions: DestinationGate.Options {
        switch platform {
        case .meta(let meta):
            return DestinationGate.Options(
                limitsOptedOut: meta.optedOut == .limit,
                sendsWithoutPersonalisation: meta.unpersonalised == .attribute
            )
        case .googleAnalytics(let google):
            return DestinationGate.Options(sendsUserData: google.sendsUserData)
        case .webhook: return DestinationGate.Options()
        }
    }
}
