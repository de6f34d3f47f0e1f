const RUN_CLICKS = 3;
const GAP_MILLISECONDS = 1_000;
const DISTANCE_PIXELS = 30;

export interface RageRule {
    /** True for the click that makes a run of clicks a rage click: once per run. */
    click(x: number, y: number, now: number): boolean;
}

/**
 * Three or more clicks, each under a second after and under 30 px (Manhattan) from the one before.
 */
export function makeRageRule(): RageRule {
    let run = 0;
    let before = { x: 0, y: 0, at: -Infinity };
    return {
        click(x, y, now) {
            const near = Math.abs(x - before.x) + Math.abs(y - before.y) < DISTANCE_PIXELS;
            run = near && now - before.at < GAP_MILLISECONDS ? run + 1 : 1;
            before = { x, y, at: now };
            return run === RUN_CLICKS;
        },
    };
}

/** The middle of a list of numbers, 0 for none. */
export function median(values: number[]): number {
    if (!values.length) return 0;
    const sorted = values.slice().sort((left, right) => left - right);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
