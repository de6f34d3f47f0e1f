/** Clicks of a run, and the milliseconds and pixels (Manhattan) that each is from the one before. */
export type RageLimits = [clicks: number, gap: number, distance: number];

export const RAGE: RageLimits = [3, 1_000, 30];

export interface RageRule {
    /** True for the click that makes a run of clicks a rage click: once per run. */
    click(x: number, y: number, now: number): boolean;
}

/** Many clicks, each soon after and near to the one before. */
export function makeRageRule([clicks, gap, distance] = RAGE): RageRule {
    let run = 0;
    let before = { x: 0, y: 0, at: -Infinity };
    return {
        click(x, y, now) {
            const near = Math.abs(x - before.x) + Math.abs(y - before.y) < distance;
            run = near && now - before.at < gap ? run + 1 : 1;
            before = { x, y, at: now };
            return run === clicks;
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
