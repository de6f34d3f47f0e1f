/// Every bound of the two stores, in one place.
public enum StorageLimits {
    /// Bytes of commands that may wait for Redis while a pipeline is in flight.
    public static let liveStagedBytesMaximum = 8 * 1024 * 1024
    /// Bytes of replies that are kept for one command at a time.
    public static let liveReplyBytesMaximum = 4 * 1024 * 1024
    /// How long Redis may take to answer a pipeline before the connection counts as dead.
    public static let liveReplyDeadlineMilliseconds: UInt64 = 10_000
    /// A visitor's hash ends this long after the visitor was last renewed.
    public static let visitorLifeMilliseconds: Int64 = 60 * 24 * 3_600_000
    /// A visitor's time to live is renewed at most this often.
    public static let visitorRenewalMilliseconds: Int64 = 24 * 3_600_000
    /// Visitors whose last published score is remembered, so that an equal one is not published.
    public static let rememberedVisitors = 1 << 16
    /// Minutes whose time to live is remembered as set.
    public static let rememberedMinutes = 1 << 12
    /// Minutes that are written, back from now.
    public static let minutesWritten: Int64 = 48 * 60
    /// A live minute ends so long after it began: an hour later, for clocks that differ.
    public static let minuteLifeMinutes = minutesWritten + 60
    /// Members of a site's `hot` set after a sweep.
    public static let hotMembersMaximum = 10_000
    /// How long a visitor stays in `hot` after the last change.
    public static let hotAgeMilliseconds: Int64 = 24 * 3_600_000
    /// Members of `hot` that one flight of a sweep looks at.
    public static let hotSweepBatch = 256
    /// Sites whose `hot` sets are swept.
    public static let sitesMaximum = 1_024

    /// First and longest wait between attempts to reach a store.
    public static let backoffFirstMilliseconds: UInt64 = 50
    /// Longest wait between attempts to reach a store.
    public static let backoffLongestMilliseconds: UInt64 = 5_000

    /// Bytes of event rows, and of history rows, that one transaction may carry.
    public static let archiveBatchBytesMaximum = 32 * 1024 * 1024
    /// Different days that one transaction may write to.
    public static let archiveBatchDaysMaximum = 8
    /// Session changes that one transaction may carry.
    public static let archiveBatchSessionsMaximum = 65_536
    /// Bytes handed to libpq at a time during COPY.
    public static let copyChunkBytes = 256 * 1024
    /// Seconds to wait for a PostgreSQL connection.
    public static let archiveConnectSeconds = 10
    /// Bytes of a refused row that are kept.
    public static let refusedRowBytesMaximum = 8 * 1024
    /// Refused rows that are kept; the oldest go first.
    public static let refusedRowsMaximum = 100_000
}
