import Loop
import Rings
import Settings
import Storage
import Units

/// The thread that fills days, as whoever starts and stops it sees it. Owned by the main thread.
final class Rollups {
    private let stop = StopSignal(waker: Waker())
    private let thread: EngineThread

    init(
        conninfo: String,
        sites: [Site],
        time: TimeSource = .real,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        let filling = RollupThread(
            filler: RollupFiller(conninfo: conninfo),
            sites: sites,
            stop: stop,
            time: time,
            onProblem: onProblem
        )
        let handoff = Handoff(filling)
        thread = EngineThread.start(name: "hg-rollup") {
            EngineThread.yieldToOthers()
            handoff.take().run()
        }
    }

    func beginStop() { stop.request() }

    /// A day that takes longer is given up with the process, and filled by the next one.
    func join() { _ = thread.join(withinMilliseconds: 500) }
}

/// Keeps the figures of whole days: fills days that are over, and those whose rows have changed since,
/// oldest first. Rests at least as long as it works, so that rows come in beside it.
final class RollupThread {
    private let filler: RollupFiller
    private let sites: [Site]
    private let stop: StopSignal
    private let time: TimeSource
    private let onProblem: @Sendable (String) -> Void

    init(
        filler: RollupFiller,
        sites: [Site],
        stop: StopSignal,
        time: TimeSource,
        onProblem: @escaping @Sendable (String) -> Void
    ) {
        (self.filler, self.sites, self.stop) = (filler, sites, stop)
        (self.time, self.onProblem) = (time, onProblem)
    }

    func run() {
        while !stop.isRequested {
            let begun = time.monotonicNanoseconds()
            let hasFilled = fillAll()
            let spent = (time.monotonicNanoseconds() - begun) / 1_000_000
            let rest = hasFilled ? max(1, spent) : Limits.rollupEveryMilliseconds
            stop.waker.prepareToSleep()
            if stop.isRequested { return }
            stop.waker.sleep(timeoutMilliseconds: Int32(clamping: rest))
        }
    }

    /// One day of each site. True when there was any.
    private func fillAll() -> Bool {
        var hasFilled = false
        for site in sites where !stop.isRequested {
            do {
                let day = try filler.fillNext(site: site.name, zone: site.timeZone)
                if day != nil { hasFilled = true }
            } catch {
                onProblem("a day's figures could not be worked out, trying again: \(error)")
                return false
            }
        }
        return hasFilled
    }
}
