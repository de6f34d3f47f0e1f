import Records
import Telemetry

/// How far an event has come, stage by stage. Nothing is written for it: where the stores stand tells.
struct TraceDocument: Encodable, Equatable {
    /// What became of the event at one stage.
    struct Stage: Encodable, Equatable {
        enum State: String, Encodable { case done, pending, skipped, failed }

        let stage: String
        let state: State
        /// When, where it is known.
        var at: String?
        /// Why the stage is not done, or what is special about it.
        var reason: String?
        /// What a person could do about it.
        var fix: String?
        /// Partition and offset in the journal.
        var position: String?
    }

    let event: String
    let site: String
    /// The last stage that is done.
    let state: String
    let stages: [Stage]
}

/// What is known about an event, wherever it was found.
struct EventFacts: Equatable {
    /// What became of an event that was sent again after it had been refused.
    struct Replay: Equatable {
        let at: String
        let outcome: String
    }

    var partition: UInt8
    var offset: UInt64
    var receivedAt: Int64
    var consent: UInt8
    var isRepeat = false
    var isBot = false
    var refusal: JournaledEvent.Refusal?
    var replay: Replay?
    /// Whether PostgreSQL has the event.
    var isStored: Bool

    init(_ event: JournaledEvent) {
        (partition, offset, receivedAt) = (event.partition, event.offset, event.receivedAt)
        (consent, isRepeat, isBot) = (event.consent, event.isRepeat, event.isBot)
        refusal = event.refusal
        isStored = false
    }

    init(partition: UInt8, offset: UInt64, receivedAt: Int64, consent: UInt8) {
        (self.partition, self.offset) = (partition, offset)
        (self.receivedAt, self.consent) = (receivedAt, consent)
        isStored = true
    }

    /// The document. `scored` is the offset that Redis has taken of the event's partition; nil when it
    /// does not say.
    func document(_ name: EventName, scored: UInt64?) -> TraceDocument {
        let stages = refusal.map { refusedStages($0) } ?? takenStages(scored)
        let done = stages.last { $0.state == .done }
        return TraceDocument(
            event: name.id,
            site: name.site,
            state: refusal == nil ? done?.stage ?? "received" : "rejected",
            stages: stages
        )
    }

    private var receivedStage: TraceDocument.Stage {
        .init(stage: "received", state: .done, at: RFC3339.text(epochMilliseconds: receivedAt))
    }

    private var journaledStage: TraceDocument.Stage {
        .init(stage: "journaled", state: .done, position: "\(partition)-\(offset)")
    }

    // MARK: - Taken

    private func takenStages(_ scored: UInt64?) -> [TraceDocument.Stage] {
        var stages = [receivedStage, journaledStage]
        if isRepeat {
            stages.append(
                .init(
                    stage: "deduplicated",
                    state: .done,
                    reason: "it repeats an earlier event of its site and has no effect"
                )
            )
            return stages + skipped(["enriched", "scored", "stored", "delivered"], "a repeat")
        }
        stages.append(.init(stage: "deduplicated", state: .done))
        stages.append(.init(stage: "enriched", state: .done))
        return stages + [scoredStage(scored), storedStage, deliveredStage]
    }

    private func scoredStage(_ scored: UInt64?) -> TraceDocument.Stage {
        if !Consent(rawValue: consent).contains(.profiling) {
            return .init(
                stage: "scored",
                state: .skipped,
                reason: "the visitor has not agreed to profiling (consent bit 4)"
            )
        }
        guard let scored else {
            return .init(
                stage: "scored",
                state: .pending,
                reason: "Redis does not say how far it is",
                fix: "Is Redis running? Scores are made good when it is back."
            )
        }
        guard scored >= offset else {
            return .init(
                stage: "scored",
                state: .pending,
                reason: "Redis stands at \(scored) of this partition, \(offset - scored) before it"
            )
        }
        let reason = isBot ? "counted for an automated browser, which is masked" : nil
        return .init(stage: "scored", state: .done, reason: reason)
    }

    private var storedStage: TraceDocument.Stage {
        if isStored { return .init(stage: "stored", state: .done) }
        return .init(
            stage: "stored",
            state: .pending,
            reason: "PostgreSQL has not taken it from the journal yet"
        )
    }

    private var deliveredStage: TraceDocument.Stage {
        .init(stage: "delivered", state: .skipped, reason: "no destination is configured")
    }

    // MARK: - Refused

    private func refusedStages(_ refusal: JournaledEvent.Refusal) -> [TraceDocument.Stage] {
        var stages = [receivedStage]
        stages.append(
            .init(
                stage: "validated",
                state: .failed,
                reason: "\(refusal.reason) at \(refusal.place)",
                fix: "Mend the sender or the site's settings, then: heliograph replay --rejected"
            )
        )
        if let replay {
            stages.append(
                .init(stage: "replayed", state: .done, at: replay.at, reason: replay.outcome)
            )
        }
        let rest = ["journaled", "deduplicated", "enriched", "scored", "stored", "delivered"]
        return stages + skipped(rest, "it was refused")
    }

    private func skipped(_ stages: [String], _ reason: String) -> [TraceDocument.Stage] {
        stages.map { .init(stage: $0, state: .skipped, reason: reason) }
    }
}
