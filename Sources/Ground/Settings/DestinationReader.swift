/// Reads a site's list of destinations.
enum DestinationReader {
    private enum Kind: String, CaseIterable {
        case meta, ga4, webhook
    }

    static func destinations(_ site: YAMLSection, _ folder: String) -> [DestinationSettings] {
        guard site.has("destinations") else { return [] }
        let destinations = site.sections("destinations") { read($0, folder) }
        if destinations.count > Limits.siteDestinationsMaximum {
            site.problem(
                "destinations",
                "may list at most \(Limits.siteDestinationsMaximum)"
            )
        }
        var names: Set<String> = []
        for destination in destinations where !names.insert(destination.name).inserted {
            site.problem("destinations", "has two called \(destination.name)")
        }
        return destinations
    }

    private static func read(_ section: YAMLSection, _ folder: String) -> DestinationSettings {
        var destination = DestinationSettings(
            name: name(section),
            platform: platform(section, folder)
        )
        destination.conversions = names(section, "conversions")
        destination.eventNames = eventNames(section, destination.platform)
        destination.extras = names(section, "extras")
        if destination.extras.count > Limits.conversionExtrasMaximum {
            section.problem(
                "extras",
                "may list at most \(Limits.conversionExtrasMaximum)"
            )
        }
        readTransport(section, folder, &destination)
        return destination
    }

    private static func name(_ section: YAMLSection) -> String {
        let name = section.text("name")
        if section.has("name"),
            !Characters.isSiteName(name) || name.utf8.count > Limits.siteNameBytesMaximum
        {
            section.problem(
                "name",
                "must be 1 to \(Limits.siteNameBytesMaximum) of a-z, 0-9, - and _, "
                    + "and begin with a letter or digit"
            )
        }
        return name
    }

    private static func names(_ section: YAMLSection, _ key: String) -> [String] {
        let names = section.texts(key, bytesMaximum: Limits.nameBytesMaximum)
        for name in names where !Characters.isEventName(name) {
            section.problem(key, "has \"\(name)\"; a name is letters, digits, - . and _")
        }
        return names
    }

    private static func eventNames(
        _ section: YAMLSection,
        _ platform: DestinationSettings.Platform
    ) -> [String: String] {
        section.section("event_names") { section in
            Dictionary(
                uniqueKeysWithValues: section.keys.map { key in
                    let name = section.text(key, bytesMaximum: Limits.nameBytesMaximum)
                    if !isEventName(name, of: platform) {
                        section.problem(key, "is \(name), which is no name for an event there")
                    }
                    return (key, name)
                }
            )
        }
    }

    /// Meta: our bound of 50 printable characters. GA4: a letter, then letters, digits and `_`, at
    /// most 40.
    private static func isEventName(
        _ name: String,
        of platform: DestinationSettings.Platform
    ) -> Bool {
        switch platform {
        case .meta: return !name.isEmpty && name.utf8.count <= 50 && Characters.isPrintable(name)
        case .googleAnalytics:
            return name.utf8.count <= 40 && Characters.isGoogleName(name)
        case .webhook: return Characters.isEventName(name)
        }
    }

    private static func readTransport(
        _ section: YAMLSection,
        _ folder: String,
        _ destination: inout DestinationSettings
    ) {
        if section.has("endpoint") {
            let endpoint = section.text("endpoint", bytesMaximum: Limits.originBytesMaximum)
            destination.endpoint = endpoint
            if case .webhook = destination.platform {
                section.problem("endpoint", "is for meta and ga4; a webhook has a url")
            } else if let problem = WebhookAddress.problem(withEndpoint: endpoint) {
                section.problem("endpoint", problem)
            }
        }
        destination.authoritiesFile = section.optionalPath("authorities", folder)
        destination.ambiguous = section.choice(
            "ambiguous",
            DestinationSettings.Ambiguous.self,
            default: destination.ambiguous
        )
        destination.isPaused = section.boolean("paused", default: false)
        destination.connectMilliseconds = section.integer(
            "connect_milliseconds",
            in: Limits.destinationMillisecondsMinimum...Limits.destinationMillisecondsMaximum,
            default: destination.connectMilliseconds
        )
        destination.answerMilliseconds = section.integer(
            "answer_milliseconds",
            in: Limits.destinationMillisecondsMinimum...Limits.destinationMillisecondsMaximum,
            default: destination.answerMilliseconds
        )
    }

    // MARK: - Platforms

    private static func platform(
        _ section: YAMLSection,
        _ folder: String
    ) -> DestinationSettings.Platform {
        if !section.has("kind") { section.problem("kind", "is missing: meta, ga4 or webhook") }
        switch section.choice("kind", Kind.self, default: .webhook) {
        case .meta: return .meta(meta(section, folder))
        case .ga4: return .googleAnalytics(googleAnalytics(section, folder))
        case .webhook: return .webhook(webhook(section, folder))
        }
    }

    private static func meta(_ section: YAMLSection, _ folder: String) -> MetaSettings {
        var meta = MetaSettings(
            pixel: section.text("pixel", bytesMaximum: 20),
            token: section.secretSource("token", folder)
        )
        if meta.pixel.isEmpty || !meta.pixel.utf8.allSatisfy(Characters.isDigit) {
            section.problem("pixel", "must be the number of a pixel or data set")
        }
        meta.appSecret = section.optionalSecretSource("app_secret", folder)
        meta.version = section.text("version", bytesMaximum: 8, default: meta.version)
        if !Characters.isGraphVersion(meta.version) {
            section.problem("version", "is \(meta.version), must be one such as v25.0")
        }
        readPartner(section, &meta)
        readChoices(section, &meta)
        return meta
    }

    /// Shorter than 23 characters with at least two letters (Meta, server-event parameters).
    private static func readPartner(_ section: YAMLSection, _ meta: inout MetaSettings) {
        guard section.has("partner_agent") else { return }
        let agent = section.text("partner_agent", bytesMaximum: 22)
        let letters = agent.utf8.filter { Characters.isAlphanumeric($0) && !Characters.isDigit($0) }
        if letters.count < 2 || !Characters.isPrintable(agent) {
            section.problem("partner_agent", "must be at most 22 characters with two letters")
        }
        meta.partnerAgent = agent
    }

    private static func readChoices(_ section: YAMLSection, _ meta: inout MetaSettings) {
        meta.optedOut = section.choice(
            "opted_out",
            MetaSettings.OptedOut.self,
            default: meta.optedOut
        )
        meta.unpersonalised = section.choice(
            "unpersonalised",
            MetaSettings.Unpersonalised.self,
            default: meta.unpersonalised
        )
        meta.limitedCountry = section.integer("limited_country", in: 0...1, default: 0)
        meta.limitedState = section.integer("limited_state", in: 0...1_013, default: 0)
        if !MetaSettings.limitedStates.contains(meta.limitedState) {
            section.problem("limited_state", "must be 0 or a state's number, 1000 to 1013")
        }
        if meta.limitedState != 0, meta.limitedCountry == 0 {
            section.problem("limited_state", "needs limited_country: 1")
        }
    }

    private static func googleAnalytics(
        _ section: YAMLSection,
        _ folder: String
    ) -> GoogleAnalyticsSettings {
        var google = GoogleAnalyticsSettings(
            measurementID: section.text("measurement_id", bytesMaximum: 20),
            secret: section.secretSource("api_secret", folder)
        )
        let digits = google.measurementID.dropFirst(2)
        if !google.measurementID.hasPrefix("G-") || digits.isEmpty
            || !digits.utf8.allSatisfy({ Characters.isDigit($0) || (65...90).contains($0) })
        {
            section.problem("measurement_id", "must be a web stream's, such as G-ABC123DEF4")
        }
        google.region = section.choice(
            "region",
            GoogleAnalyticsSettings.Region.self,
            default: google.region
        )
        google.sendsUserData = section.boolean("user_data", default: false)
        google.contactIsLead = section.boolean("contact_is_lead", default: false)
        google.subscribeIsPurchase = section.boolean("subscribe_is_purchase", default: false)
        google.donateIsPurchase = section.boolean("donate_is_purchase", default: false)
        return google
    }

    private static func webhook(_ section: YAMLSection, _ folder: String) -> WebhookSettings {
        var webhook = WebhookSettings(
            url: section.text("url", bytesMaximum: Limits.webhookURLBytesMaximum),
            secret: section.secretSource("secret", folder)
        )
        webhook.contact = section.texts("contact")
        for key in webhook.contact where !WebhookSettings.contactKeys.contains(key) {
            let keys = WebhookSettings.contactKeys.joined(separator: ", ")
            section.problem("contact", "has \(key), must be some of \(keys)")
        }
        webhook.allowsLoopback = section.boolean("allow_loopback", default: false)
        if let problem = WebhookAddress.problem(
            withURL: webhook.url,
            allowsLoopback: webhook.allowsLoopback
        ) {
            section.problem("url", problem)
        }
        return webhook
    }
}
