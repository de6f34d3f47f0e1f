import Bytes
import Delivery
import Settings
import Storage
import Units

/// Site and destination.
struct LaneName: Hashable {
    let site: String
    let destination: String
}

/// A destination as the settings describe it now, with what is on its way to it. Owned by the
/// forwarder's loop thread.
final class DestinationLane {
    let name: LaneName
    let settings: DestinationSettings
    let destination: any Destination
    /// Stands for settings and secrets: other ones open a gate that credentials have stopped.
    let fingerprint: String
    let options: TransportOptions
    var lane: Lane
    /// What has become of its deliveries, for health and metrics.
    var counts = DestinationCounts()

    init(
        _ name: LaneName,
        _ settings: DestinationSettings,
        _ destination: any Destination,
        fingerprint: String
    ) {
        self.name = name
        self.settings = settings
        self.destination = destination
        self.fingerprint = fingerprint
        options = Self.options(settings)
        lane = Lane(
            batching: destination.batching,
            bounds: Lane.Bounds(
                parcels: max(Limits.laneParcelsMinimum, destination.batching.eventsMaximum * 4),
                requests: Limits.laneRequestsMaximum,
                claimMilliseconds: Int64(Limits.deliveryLeaseMilliseconds / 3)
            )
        )
    }

    /// Whether a conversion that may have arrived is sent again.
    func repeats(_ conversion: Conversion) -> Bool {
        if settings.ambiguous == .hold { return false }
        // GA4 tells copies apart by the order alone (conversions.md 2.9).
        guard case .googleAnalytics = settings.platform else { return true }
        return conversion.orderID != nil && ["purchase", "refund"].contains(conversion.name)
    }

    /// Only the settings' own word for this machine lets a request stay on it.
    private static func options(_ settings: DestinationSettings) -> TransportOptions {
        let place = place(settings).flatMap { WebhookAddress($0) }
        let staysHere = place?.isLoopback == true && allowsLoopback(settings)
        return TransportOptions(
            connectMilliseconds: settings.connectMilliseconds,
            totalMilliseconds: settings.answerMilliseconds,
            answerBytesMaximum: Limits.destinationAnswerBytesMaximum,
            authoritiesFile: settings.authoritiesFile,
            allowsPlain: staysHere && place?.isSecure == false
        ) { bytes in
            let address = bytes.withUnsafeBytes { InternetAddress(ByteView($0)) }
            return staysHere ? address.isLoopback : AddressRules.isPublic(address)
        }
    }

    private static func place(_ settings: DestinationSettings) -> String? {
        if case .webhook(let webhook) = settings.platform { return webhook.url }
        return settings.endpoint
    }

    private static func allowsLoopback(_ settings: DestinationSettings) -> Bool {
        if case .webhook(let webhook) = settings.platform { return webhook.allowsLoopback }
        return true
    }
}

/// What a forwarder counts of a destination since its start.
struct DestinationCounts {
    var requests = 0
    var sent = 0
    var delivered = 0
    var refused = 0
    var expired = 0
    var withheld = 0
    var inDoubt = 0
    var retried = 0
    var held = 0
    /// Answers that paused it.
    var pauses = 0
}

extension Contact {
    /// What it has that platforms know people by, under Meta's names; `all` stands for the conversion.
    var matchKeys: [String] {
        var keys = ["all"] + metaHashes.keys
        if address != nil { keys.append("client_ip_address") }
        if userAgent != nil { keys.append("client_user_agent") }
        if fbp != nil { keys.append("fbp") }
        if fbc != nil || fbclid != nil { keys.append("fbc") }
        if gaClientID != nil { keys.append("client_id") }
        return keys
    }
}
