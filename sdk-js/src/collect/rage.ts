/**
 * Clicks of a run, and the milliseconds and pixels (Manhattan) that each is from the one before.
 */
export type RageLimits = [clicks: number, gap: number, distance: number];

export const RAGE: RageLimits = [3, 1_000, 30];

/** True for the click that makes a run of clicks a rage click: once per run. */
export type RageRule = (x: number, y: number, now: number) => boolean;

/** Many clicks, each soon after and near to the one before. */
export const makeRageRule = ([clicks, gap, distance] = RAGE): RageRule => {
    let run = 0;
    let before = [0, 0, -Infinity];
    return (x, y, now) => {
        const [lastX, lastY, at] = before;
        const near = Math.abs(x - lastX) + Math.abs(y - lastY) < distance;
        run = near && now - at < gap ? run + 1 : 1;
        before = [x, y, now];
        return run === clicks;
    };
};

/** The middle of a list of numbers, 0 for none. */
export const median = (values: number[]): number => {
    if (!values.length) return 0;
    const sorted = values.slice().sort((left, right) => left - right);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
