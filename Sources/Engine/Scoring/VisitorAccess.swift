public import Bytes
public import Records

/// What the live model needs to know of a visitor beside its score.
extension PartitionFold {
    /// What can be said about the visitor at `index` as of the record last folded.
    public func reading(of index: Int32) -> Reading {
        reading(of: index, at: table[Int(index)].updatedAt)
    }

    /// The same as another model says it.
    public func reading(of index: Int32, by model: ScoringModel) -> Reading {
        table[Int(index)].reading(at: table[Int(index)].updatedAt, model)
    }

    /// Offset of the record that changed the visitor last.
    public func lastOffset(of index: Int32) -> UInt64 { table[Int(index)].offset }

    /// Whether the visitor's last record came from an automated browser.
    public func isAutomated(_ index: Int32) -> Bool { table[Int(index)].isAutomated }

    /// Calls `body` with each live minute that records beyond `offset` changed: its site, the
    /// minute since 1970, and its counters as JSON (README, live minutes). Until `body` says false,
    /// which this then returns. `json` is memory to write into.
    public func forEachMinute(
        after offset: UInt64,
        json: inout ByteBuffer,
        _ body: (ShortText, UInt32, ByteView) -> Bool
    ) -> Bool {
        minutes.forEach(after: offset) { minute in
            json.reset()
            minute.appendJSON(into: &json)
            return body(sites[Int(minute.site)], minute.minute, json.view)
        }
    }
}
