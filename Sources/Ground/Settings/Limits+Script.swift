/// Limits of what the ingest port does for the browser script beside taking its beacons.
extension Limits {
    /// Bytes of a path that a site owner chooses for a file or for beacons.
    public static let scriptPathBytesMaximum = 128
    /// Seconds that the device cookie lives: 395 days. It is set once and never renewed, so that no
    /// visitor is known for longer than the 13 months that regulators name.
    public static let deviceCookieSeconds = 34_128_000
    /// Milliseconds that an answer waits for the score that its beacon made.
    public static let scoreWaitMilliseconds = 50
    /// Answers of a listener that may wait for a score at once; the next ones do without.
    public static let scoreWaitsMaximum = 1024
    /// Bytes of the ring by which one worker tells one listener scores.
    public static let scoreRingBytes = 128 * 1024
    /// Tracking links of a site.
    public static let siteLinksMaximum = 1_000
    /// Bytes of a tracking link's name.
    public static let linkNameBytesMaximum = 64
    /// Bytes of a tracking link's target, and of a value that its request may carry over to it.
    public static let linkTargetBytesMaximum = 2_048
    /// Bytes of a value that a request for a tracking link carries over.
    public static let linkValueBytesMaximum = 512
    /// Links that are counted over the life of the process, those gone from the settings included.
    public static let linksCountedMaximum = 10_000
}
