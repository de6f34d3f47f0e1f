import Bytes
import Records

/// Observations of the events that are no page summary; README, observations.
extension VisitorState {
    /// A form left for this long is abandoned (signal specification, section 2.2, 16).
    static let formTimeoutMilliseconds: Int64 = 5 * 60_000

    /// Counts a form whose timeout has passed before an event at `time`.
    mutating func expireForm(
        before time: Int64,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        let due = signals.formLeftAt &+ Self.formTimeoutMilliseconds
        guard signals.formLeftAt != 0, time >= due else { return }
        signals.formLeftAt = 0
        moment.begin(due, &signals, model)
        signals.add(1, to: .formAbandonment, &moment, model)
    }

    // MARK: - Intent (signal 23)

    private mutating func foldStage(
        _ stage: Double,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        guard stage > 0 else { return }
        signals.measure(Self.bit(.intentProximity))
        guard convertedAt == 0 || moment.time > convertedAt else { return }
        signals.raise(.intentMaximum, to: stage, &moment, model)
        signals.add(stage, to: .intentProximity, &moment, model)
    }

    private mutating func foldConversion(_ moment: Moment) {
        signals.sums[Sum.intentMaximum.index] = 0
        signals.sums[Sum.intentProximity.index] = 0
        convertedAt = max(convertedAt, moment.time)
    }

    // MARK: - Page view

    mutating func foldPageView(
        _ view: PageView?,
        _ setting: FoldSetting,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        signals.pageViews &+= 1
        guard let view else { return }
        signals.measure(Self.bit(.sessionDepth) | Self.bit(.intentProximity))
        if !setting.withoutDevice { signals.measure(Self.bit(.returnCadence)) }
        let rule = model.page(view.path)
        if trend.seesPage(view.pathHash) {
            signals.add(1, to: .sessionDepth, &moment, model)
            if rule.isOption { trend.options &+= 1 }
        }
        let category = model.categoryWords.page(view.path, of: setting.site) ?? rule.category
        if category >= 0 { foldCategories(1 << UInt16(category), &moment, model) }
        foldStage(rule.stage, &moment, model)
    }

    // MARK: - Click, navigation, custom event

    mutating func foldClick(
        _ properties: ByteView,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        var label = ByteView.empty
        var flags = 0.0
        guard
            forEachKey(
                properties,
                { key, cursor throws(JSONError) in
                    switch Key.code(key) {
                    case UInt16(UInt8(ascii: "a")): label = try cursor.text()
                    case UInt16(UInt8(ascii: "f")): flags = try cursor.amount()
                    default: _ = try cursor.skip()
                    }
                }
            )
        else { return }
        guard Int(flags) & 1 == 1 else { return }
        let known = model.clickTable.firstValue(in: label)
        foldStage(known.map { model.clickStages[$0] } ?? model.clickOther, &moment, model)
    }

    mutating func foldNavigation(
        _ properties: ByteView,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        var type = ByteView.empty
        guard
            forEachKey(
                properties,
                { key, cursor throws(JSONError) in
                    if key.equals("ty") { type = try cursor.text() } else { _ = try cursor.skip() }
                }
            )
        else { return }
        signals.measure(Self.bit(.hesitationLoop))
        if type.equals("u") {
            foldLoopPoints(1, &moment, model)
            signals.add(-1, to: .clickDecisiveness, &moment, model)
        } else if type.equals("l") {
            foldLoopPoints(1.5, &moment, model)
        }
    }

    /// True when the event is a conversion.
    mutating func foldCustom(
        _ name: ByteView,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) -> Bool {
        guard let index = model.eventTable.value(of: name) else { return false }
        let stage = model.eventStages[index]
        if stage == ModelTables.conversionStage {
            foldConversion(moment)
            return true
        }
        foldStage(stage, &moment, model)
        return false
    }

    // MARK: - Form (signals 14, 15, 16, 23, 24)

    mutating func foldForm(
        _ properties: ByteView,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        var form = FormSummary()
        guard form.read(properties) else { return }
        signals.measure(Self.bit(.formProgress) | Self.bit(.formAbandonment))
        let rule = model.form(form.name)
        let completion = form.completion ?? (form.phase == .submit ? 1 : 0)
        signals.raise(.formProgress, to: rule.role * completion, &moment, model)
        signals.add(form.friction, to: .formFriction, &moment, model)
        signals.add(form.fields, to: .formFrictionWeight, &moment, model)
        if form.hesitations > 0 {
            let rate = 60 * form.hesitations / form.hesitantSeconds
            let load = 0.25 * Shapes.hill2(rate, 1.5)
            signals.add(form.hesitantSeconds * load, to: .cognitiveLoad, &moment, model)
            signals.add(form.hesitantSeconds, to: .cognitiveLoadWeight, &moment, model)
        }
        foldPhase(form, completion, rule, &moment, model)
    }

    private mutating func foldPhase(
        _ form: FormSummary,
        _ completion: Double,
        _ rule: ScoringModel.FormRule,
        _ moment: inout Moment,
        _ model: ScoringModel
    ) {
        switch form.phase {
        case .left:
            if !form.submitted { signals.formLeftAt = moment.time }
        case .start, .progress, .submit:
            signals.formLeftAt = 0
            let later = form.phase != .start && completion >= 0.5
            foldStage(later ? rule.later : rule.start, &moment, model)
        case .other:
            signals.formLeftAt = 0
        }
    }
}

/// Hands each key and the cursor at its value to `body`. False when the bytes are not valid
/// JSON.
@inline(__always)
func forEachKey(
    _ properties: ByteView,
    _ body: (ByteView, inout JSONCursor) throws(JSONError) -> Void
) -> Bool {
    do throws(JSONError) {
        var cursor = JSONCursor(properties)
        var first = true
        try cursor.beginObject()
        while let key = try cursor.nextKey(&first) { try body(key, &cursor) }
        return true
    } catch {
        return false
    }
}
