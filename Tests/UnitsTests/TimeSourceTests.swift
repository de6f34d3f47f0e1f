import Testing
import Units

/// Clocks: the real one moves forwards, the simulated one only when told.
@Suite struct TimeSourceTests {
    @Test func theRealClockNeverGoesBackwards() {
        var last = TimeSource.real.monotonicNanoseconds()
        for _ in 0..<10_000 {
            let now = TimeSource.real.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
        // Written after the year 2025, before 2100.
        #expect(
            (1_735_689_600_000...4_102_444_800_000).contains(TimeSource.real.epochMilliseconds())
        )
    }

    @Test func theSimulatedClockStandsStillUntilMoved() {
        let clock = SimulatedClock(epochMilliseconds: 1_000)
        let time = TimeSource.simulated(clock)
        #expect(time.epochMilliseconds() == 1_000 && time.monotonicNanoseconds() == 0)
        clock.advance(milliseconds: 5)
        #expect(time.epochMilliseconds() == 1_005 && time.monotonicNanoseconds() == 5_000_000)
        clock.jump(toEpochMilliseconds: 10)
        #expect(time.epochMilliseconds() == 10 && time.monotonicNanoseconds() == 5_000_000)
    }

    @Test func aBrokenInvariantStopsTheProcess() async {
        invariant(true, "never seen")
        await #expect(processExitsWith: .failure) { invariant(false, "seen") }
    }
}
