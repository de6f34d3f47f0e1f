import Records

/// Reads the list of sites.
enum SiteReader {
    static func sites(_ top: YAMLSection, _ folder: String) -> [Site] {
        let sites = top.sections("sites") { read($0, folder) }
        if sites.isEmpty {
            top.problem("sites", "must have at least one site, or be left out for site demo")
        }
        if sites.count > Limits.sitesMaximum {
            top.problem("sites", "may have at most \(Limits.sitesMaximum) sites")
        }
        for name in repeated(sites.map(\.name)) {
            top.problem("sites", "has two sites called \(name)")
        }
        for key in repeated(sites.flatMap(\.keys)) {
            top.problem("sites", "has key \(key) twice; a key belongs to one site")
        }
        for name in repeated(sites.flatMap(\.links).map(\.name)) {
            top.problem("sites", "has link \(name) twice; /r/\(name) leads to one place")
        }
        return sites
    }

    private static func repeated(_ texts: [String]) -> [String] {
        let counts = Dictionary(texts.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.filter { $0.value > 1 }.keys.sorted()
    }

    private static func read(_ section: YAMLSection, _ folder: String) -> Site {
        let origins = section.texts("origins", bytesMaximum: Limits.originBytesMaximum)
        check(section, origins: origins)
        var site = Site(
            name: name(section),
            keys: keys(section),
            origins: origins.filter { $0 != "*" },
            allowsAnyOrigin: origins.contains("*")
        )
        site.timeZone = section.text("time_zone", bytesMaximum: 64, default: site.timeZone)
        if !Characters.isTimeZone(site.timeZone) {
            section.problem("time_zone", "is \(site.timeZone), must be a zone like Europe/Berlin")
        }
        site.currency = section.text("currency", bytesMaximum: 16, default: site.currency)
        if site.currency.utf8.count != 3 || !site.currency.utf8.allSatisfy({ 65...90 ~= $0 }) {
            section.problem("currency", "is \(site.currency), must be a code like EUR")
        }
        site.automation = section.choice(
            "automation",
            Site.Automation.self,
            default: site.automation
        )
        site.consent = section.section("consent") { ConsentPolicy($0) }
        site.urlParameters = parameters(section)
        site.debug = section.boolean("debug", default: site.debug)
        site.events = eventRules(section)
        site.refusesUnlistedEvents = section.boolean("refuse_unlisted_events", default: false)
        site.limits = section.section("limits") { SiteLimits($0) }
        site.conversions = ConversionReader.rules(section)
        site.countsUsualConversions = section.boolean("usual_conversions", default: true)
        site.attributionDays = section.integer(
            "attribution_days",
            in: 1...Limits.attributionDaysMaximum,
            default: site.attributionDays
        )
        readDestinations(section, folder, &site)
        site.links = LinkReader.links(section)
        return site
    }

    private static func readDestinations(
        _ section: YAMLSection,
        _ folder: String,
        _ site: inout Site
    ) {
        site.sensitivity = section.choice(
            "sensitive",
            Site.Sensitivity.self,
            default: site.sensitivity
        )
        if section.has("calling_code") {
            let code = section.text("calling_code", bytesMaximum: 16)
            if !(1...3).contains(code.utf8.count) || code.hasPrefix("0")
                || !code.utf8.allSatisfy(Characters.isDigit)
            {
                section.problem("calling_code", "must be one such as 49, without + or zeros")
            }
            site.callingCode = code
        }
        site.destinations = DestinationReader.destinations(section, folder)
        for destination in site.destinations
        where destination.isAdvertising && !site.sensitivity.allowsAdvertising {
            section.problem(
                "destinations",
                "has \(destination.name), an advertisement platform; a site with sensitive: "
                    + "\(site.sensitivity.rawValue) may have none"
            )
        }
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

    private static func keys(_ section: YAMLSection) -> [String] {
        let keys = section.texts("keys")
        if keys.isEmpty { section.problem("keys", "must list at least one public key") }
        if keys.count > Limits.siteKeysMaximum {
            section.problem("keys", "may list at most \(Limits.siteKeysMaximum)")
        }
        for key in keys
        where !Characters.isSiteKey(key) || key.utf8.count > Limits.keyBytesMaximum {
            section.problem(
                "keys",
                "has \"\(key)\"; a key is 1 to \(Limits.keyBytesMaximum) letters, digits, - and _"
            )
        }
        return keys
    }

    private static func check(_ section: YAMLSection, origins: [String]) {
        if origins.isEmpty {
            section.problem(
                "origins",
                "must list the origins that may send beacons, or \"*\" for any"
            )
        }
        if origins.count > Limits.siteOriginsMaximum {
            section.problem("origins", "may list at most \(Limits.siteOriginsMaximum)")
        }
        for origin in origins where origin != "*" {
            if let problem = Origin.problem(with: origin) { section.problem("origins", problem) }
        }
    }

    private static func parameters(_ section: YAMLSection) -> [String] {
        let parameters = section.texts("url_parameters")
        if parameters.count > Limits.siteParametersMaximum {
            section.problem("url_parameters", "may list at most \(Limits.siteParametersMaximum)")
        }
        for parameter in parameters
        where !Characters.isParameter(parameter)
            || parameter.utf8.count > Limits.nameBytesMaximum
        {
            section.problem(
                "url_parameters",
                "has \"\(parameter)\"; a parameter is letters, digits, - . and _"
            )
        }
        return parameters
    }
}
