import Bytes
import Records
import Settings

/// What a sender that asks for it is told of each event, on a site in debug mode.
extension BeaconRoute {
    /// Appends the verdicts on the events of the beacon last taken, in its order, as an object.
    func appendVerdicts(to output: inout ByteBuffer) {
        guard let slice = Slice(slice) else { return }
        var verdicts = VerdictWriter()
        var id = ByteBuffer(capacity: 64, limit: 128)
        var fault = tally.faults.startIndex
        var place = 0
        slice.forEachEvent { _, event in
            while fault < tally.faults.endIndex, tally.faults[fault].index == place {
                add(tally.faults[fault], slice.window, &id, &verdicts)
                fault += 1
                place += 1
            }
            Self.write(slice.window, event.number, into: &id)
            if event.flags.contains(.moved) {
                verdicts.add(id: id.view, "warning", reason: "time-moved")
            } else {
                verdicts.add(id: id.view, "ok", reason: "")
            }
            place += 1
        }
        for fault in tally.faults[fault...] { add(fault, slice.window, &id, &verdicts) }
        verdicts.append(to: &output)
    }

    private func add(
        _ fault: Fault,
        _ window: ByteView,
        _ id: inout ByteBuffer,
        _ verdicts: inout VerdictWriter
    ) {
        Self.write(window, fault.number, into: &id)
        verdicts.add(id: id.view, "drop", reason: fault.problem.row.code)
    }

    /// `<w>-<n>`; nothing for an event whose number could not be read.
    private static func write(_ window: ByteView, _ number: UInt32, into id: inout ByteBuffer) {
        id.reset()
        guard number > 0 else { return }
        id.append(window)
        id.append(UInt8(ascii: "-"))
        id.append(decimal: Int64(number))
    }
}
