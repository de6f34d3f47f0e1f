import Records
import Settings

/// What every destination of a site does alike: the gate, times, addresses of pages.
struct DestinationFrame: Sendable {
    let name: String
    let settings: DestinationSettings
    let sensitivity: Site.Sensitivity

    init(_ site: Site, _ settings: DestinationSettings) {
        name = settings.name
        self.settings = settings
        sensitivity = site.sensitivity
    }

    /// The clock of a sender may be this far ahead; what is further is no time.
    private static let aheadMillisecondsMaximum: Int64 = 300_000

    /// What may be told of a conversion, or why nothing may.
    func verdict(_ conversion: Conversion) -> DestinationGate.Verdict {
        let isSensitive = conversion.isSensitive || !sensitivity.allowsAdvertising
        let facts = DestinationGate.Facts(
            consent: conversion.consent,
            flags: conversion.flags,
            isSensitive: isSensitive,
            isBot: conversion.isBot
        )
        return DestinationGate.verdict(
            for: settings.gateKind,
            facts,
            options: settings.gateOptions
        )
    }

    /// On which terms it is told. What has none never passes `judge`; without terms nothing about the
    /// visitor is told.
    func terms(_ conversion: Conversion) -> DestinationGate.Terms {
        if case .allowed(let terms) = verdict(conversion) { return terms }
        return DestinationGate.Terms()
    }

    /// Why nothing may be told of it at all; nil when something may.
    func forbidden(_ conversion: Conversion) -> Preflight? {
        guard case .forbidden(let reason) = verdict(conversion) else { return nil }
        return .forbidden(reason: reason.rawValue)
    }

    /// Why the conversion's time forbids sending it; nil when nothing does.
    func untimely(
        _ conversion: Conversion,
        _ now: Int64,
        ageMillisecondsMaximum: Int64
    ) -> Preflight? {
        let age = now - conversion.occurredAtMilliseconds
        if age > ageMillisecondsMaximum { return .expired }
        if age < -Self.aheadMillisecondsMaximum { return .refused(reason: "in-the-future") }
        return nil
    }

    /// When it happened, for platforms that know no future.
    func time(_ conversion: Conversion, _ now: Int64) -> Int64 {
        min(conversion.occurredAtMilliseconds, now)
    }

    /// The name that the settings give it.
    func givenName(_ conversion: Conversion) -> String? { settings.eventNames[conversion.name] }

    /// The extras that this destination is told of, in the order of its settings.
    func extras(_ conversion: Conversion) -> [(name: String, value: ConversionDetails.ExtraValue)] {
        settings.extras.compactMap { name in
            conversion.details.extras.first { $0.name == name }
        }
    }

    /// A page's address, or nothing when it is none of the web.
    func page(_ url: String?, originOnly: Bool) -> String? {
        guard let url, url.hasPrefix("https://") || url.hasPrefix("http://") else { return nil }
        let isFinance = sensitivity == .finance && settings.isAdvertising
        return originOnly || isFinance ? PageAddress.origin(url) : url
    }
}

/// Addresses of pages, cut as platforms want them. They were scrubbed before.
enum PageAddress {
    /// Scheme, host and port, with the path of the root.
    static func origin(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let host = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return host.isEmpty ? nil : "\(url[..<scheme.upperBound])\(host)/"
    }

    /// At most `maximum` scalars, cut in front of a pair of the query where there is one.
    static func cut(_ url: String, scalarsMaximum maximum: Int) -> String {
        let scalars = url.unicodeScalars
        guard scalars.count > maximum else { return url }
        let front = scalars.prefix(maximum)
        let isBound = { (scalar: Unicode.Scalar) in scalar == "&" || scalar == "?" }
        guard !isBound(scalars[front.endIndex]), front.contains("?"),
            let bound = front.lastIndex(where: isBound)
        else { return String(front) }
        return String(scalars[..<bound])
    }
}

/// What every platform makes of a conversion's money.
struct ConversionMoney {
    /// The worth in the currency's smallest part, nil without both.
    let value: Money?
    /// The code in upper case, nil without a value.
    let currency: String?
    /// What was left out.
    let remark: String?
    /// Why a purchase with it is none; nil when it is one. No currency is ever guessed.
    let refusal: String?

    init(_ conversion: Conversion) {
        let code = conversion.currency.flatMap { Currency.code($0) }
        let value = conversion.value.flatMap { $0 >= 0 ? $0 : nil }
        let money = value.flatMap { value in code.flatMap { Currency.rounded(value, $0) } }
        self.value = money
        currency = money == nil ? nil : code
        let hasValue = value?.isFinite == true
        refusal =
            money != nil ? nil : hasValue ? "purchase-without-currency" : "purchase-without-value"
        let isMissing = money == nil && (conversion.value != nil || conversion.currency != nil)
        remark = isMissing ? "value-left-out" : nil
    }
}
