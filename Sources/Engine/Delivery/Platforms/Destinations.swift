public import Settings
import Telemetry

/// Makes destinations as the settings describe them.
public enum Destinations {
    /// A destination of a site, its secrets loaded.
    public static func make(
        _ site: Site,
        _ settings: DestinationSettings
    ) throws(SecretSource.Failure) -> any Destination {
        let around = DestinationFrame(site, settings)
        switch settings.platform {
        case .meta(let meta):
            return MetaDestination(
                around,
                meta,
                token: try meta.token.load(),
                appSecret: try load(meta.appSecret)
            )
        case .googleAnalytics(let google):
            return GoogleAnalyticsDestination(around, google, secret: try google.secret.load())
        case .webhook(let webhook):
            return WebhookDestination(around, webhook, secret: try webhook.secret.load())
        }
    }

    private static func load(_ source: SecretSource?) throws(SecretSource.Failure) -> Secret? {
        guard let source else { return nil }
        return try source.load()
    }
}
