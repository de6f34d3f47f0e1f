import Journal
import Settings

extension HeliographSettings {
    /// What the settings ask of the journal, for the engine and for commands that read its files.
    var journalLimits: JournalLimits {
        var limits = JournalLimits()
        limits.segmentBytes = journal.segmentBytes
        limits.diskBytesMaximum = journal.diskBudgetBytes
        return limits
    }
}
