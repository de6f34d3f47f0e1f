public import Bytes
public import Records

/// Live minutes: a hash per site and minute, a field per partition.
extension LiveModelWriter {
    /// Stages what a partition knows of a site's minute: its field, whole, in the minute's hash. False
    /// when Redis is away or the stage is full.
    public func stageMinute(
        site: ByteView,
        minute: UInt32,
        partition: Partition,
        value: ByteView
    ) -> Bool {
        guard isConnected, staged.count < StorageLimits.liveStagedBytesMaximum else { return false }
        staged.command(4)
        staged.argument("HSET")
        staged.minuteKey(prefix.view, site, minute)
        staged.argument(decimal: Int64(partition.index))
        staged.argument(value)
        stagedCommands &+= 1
        if minuteLives.begins(site: site, minute: minute) {
            staged.command(3)
            staged.argument("EXPIREAT")
            staged.minuteKey(prefix.view, site, minute)
            staged.argument(decimal: (Int64(minute) &+ StorageLimits.minuteLifeMinutes) &* 60)
            stagedCommands &+= 1
        }
        return true
    }
}

/// Which live minutes are still written.
public enum LiveMinuteAge {
    /// The oldest minute that Redis is to hold, in minutes since 1970: those before end soon, and a field
    /// that comes when Redis has ended its minute would never end.
    public static func oldestWritten(nowMilliseconds: Int64) -> Int64 {
        nowMilliseconds / 60_000 - StorageLimits.minutesWritten
    }
}
