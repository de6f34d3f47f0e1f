import Bytes

/// What a visitor's hash needs beside its fields.
extension LiveModelWriter {
    func stageLife(_ site: ByteView, _ visitor: ByteView) {
        staged.command(3)
        staged.argument("PEXPIRE")
        staged.key(prefix.view, site, ":v:{", visitor, "}")
        staged.argument(decimal: StorageLimits.visitorLifeMilliseconds)
        stagedCommands &+= 1
    }

    /// The visitor is read alone again.
    func stageParting(_ site: ByteView, _ visitor: ByteView) {
        staged.command(3)
        staged.argument("HDEL")
        staged.key(prefix.view, site, ":v:{", visitor, "}")
        staged.argument("joined")
        stagedCommands &+= 1
    }
}
