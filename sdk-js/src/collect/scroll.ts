const BURST_GAP_MILLISECONDS = 150;
const PAUSE_SHORTEST_MILLISECONDS = 700;
const PAUSE_LONG_MILLISECONDS = 3_000;
const PAUSE_LONGEST_MILLISECONDS = 20_000;
const PEAK_WINDOW_MILLISECONDS = 100;
const TURN_PIXELS = 10;

export interface ScrollBook {
    /**
     * The page's offset and depth (0–1) after a scroll; `sectionShown` as it was during the rest.
     */
    moved(now: number, offset: number, depth: number, sectionShown: boolean): void;
    /** The depth that shows without scrolling. */
    saw(depth: number): void;
    depth(): number;
    /** The `sc` array since the last take; `ends` closes the rest that is under way. */
    take(now: number, ends: boolean, sectionShown: boolean): number[];
}

/** Scrolling of one page view, as distances and stops. */
export const makeScrollBook = (startOffset: number): ScrollBook => {
    let offset = startOffset;
    let movedAt = -1;
    let direction = 0;
    let turnFrom = startOffset;
    let deepest = 0;
    let windowStart = 0;
    let windowPixels = 0;
    let sums = [0, 0, 0, 0, 0, 0, 0];

    function rest(milliseconds: number, sectionShown: boolean): void {
        if (!sectionShown || milliseconds < PAUSE_SHORTEST_MILLISECONDS) return;
        if (milliseconds > PAUSE_LONGEST_MILLISECONDS) return;
        sums[4]++;
        if (milliseconds >= PAUSE_LONG_MILLISECONDS) sums[5]++;
    }
    function turn(step: number): void {
        const next = step > 0 ? 1 : -1;
        if (next === direction) {
            turnFrom = offset;
        } else if (Math.abs(offset - turnFrom) >= TURN_PIXELS) {
            if (direction) sums[6]++;
            direction = next;
            turnFrom = offset;
        }
    }
    function peak(now: number, pixels: number): void {
        if (now - windowStart >= PEAK_WINDOW_MILLISECONDS) {
            windowStart = now;
            windowPixels = 0;
        }
        windowPixels += pixels;
        sums[2] = Math.max(sums[2], (windowPixels * 1000) / PEAK_WINDOW_MILLISECONDS);
    }
    return {
        moved(now, nextOffset, depth, sectionShown) {
            const step = nextOffset - offset;
            deepest = Math.max(deepest, depth);
            if (!step) return;
            const gap = movedAt < 0 ? Infinity : now - movedAt;
            if (gap < BURST_GAP_MILLISECONDS) sums[1] += gap;
            else rest(gap, sectionShown);
            offset = nextOffset;
            movedAt = now;
            sums[0] += Math.abs(step);
            if (step < 0) sums[3] -= step;
            peak(now, Math.abs(step));
            turn(step);
        },
        saw(depth) {
            deepest = Math.max(deepest, depth);
        },
        depth: () => deepest,
        take(now, ends, sectionShown) {
            if (ends && movedAt >= 0) {
                rest(now - movedAt, sectionShown);
                movedAt = -1;
            }
            const taken = sums.map(Math.round);
            sums = [0, 0, 0, 0, 0, 0, 0];
            return taken.concat(Math.round(deepest * 100));
        },
    };
};
