public import Records

/// What the live model needs to know of a visitor beside its score.
extension PartitionFold {
    /// What can be said about the visitor at `index` as of the record last folded.
    public func reading(of index: Int32) -> Reading {
        reading(of: index, at: table[Int(index)].updatedAt)
    }

    /// Offset of the record that changed the visitor last.
    public func lastOffset(of index: Int32) -> UInt64 { table[Int(index)].offset }

    /// Whether the visitor's last record came from an automated browser.
    public func isAutomated(_ index: Int32) -> Bool { table[Int(index)].isAutomated }
}
