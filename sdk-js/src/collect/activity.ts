const INPUT_MILLISECONDS = 30_000;
const AWAY_SHORTEST_MILLISECONDS = 5_000;
const AWAY_LONGEST_MILLISECONDS = 300_000;

export interface Activity {
    /** The visitor moved, pressed, scrolled or touched. */
    input(now: number): void;
    visibility(now: number, visible: boolean, focused: boolean): void;
    /** Active milliseconds since the page view, up to `now`. */
    activeTotal(now: number): number;
    isActive(now: number): boolean;
    /** The `vz` array since the last take. */
    take(now: number): number[];
}

/**
 * Visible, focused and active time from one monotonic clock. Active means visible, focused, and an
 * input within the last 30 s; arriving on a page counts as one.
 */
export const makeActivity = (
    start: number, visibleAtStart: boolean, focusedAtStart: boolean): Activity => {
    let last = start;
    let visible = visibleAtStart;
    let focused = focusedAtStart;
    let activeUntil = start + INPUT_MILLISECONDS;
    let activeTotal = 0;
    let takenAt = start;
    let takenActive = 0;
    let awaySince = -1;
    let sums = [0, 0, 0, 0, 0, 0];

    function account(now: number): void {
        const span = Math.max(0, now - last);
        if (visible) sums[0] += span;
        if (visible && focused) {
            sums[1] += span;
            activeTotal += Math.max(0, Math.min(now, activeUntil) - last);
        }
        last = Math.max(last, now);
    }
    function comeBack(now: number): void {
        const away = now - awaySince;
        awaySince = -1;
        sums[4] += away;
        if (away >= AWAY_SHORTEST_MILLISECONDS && away <= AWAY_LONGEST_MILLISECONDS) sums[5]++;
        // Coming back is an input: the visitor chose this window again.
        activeUntil = Math.max(activeUntil, now + INPUT_MILLISECONDS);
    }
    return {
        input(now) {
            account(now);
            activeUntil = now + INPUT_MILLISECONDS;
        },
        visibility(now, nextVisible, nextFocused) {
            account(now);
            if (visible && !nextVisible) sums[2]++;
            if (focused && !nextFocused && nextVisible) sums[3]++;
            visible = nextVisible;
            focused = nextFocused;
            const here = visible && focused;
            if (!here && awaySince < 0) awaySince = now;
            if (here && awaySince >= 0) comeBack(now);
        },
        activeTotal(now) {
            account(now);
            return activeTotal;
        },
        isActive: (now) => visible && focused && now <= activeUntil,
        take(now) {
            account(now);
            const [shown, focusedFor, ...counts] = sums;
            const taken = [
                shown, focusedFor, activeTotal - takenActive, ...counts, now - takenAt,
            ];
            takenAt = now;
            takenActive = activeTotal;
            sums = [0, 0, 0, 0, 0, 0];
            return taken.map(Math.round);
        },
    };
};
