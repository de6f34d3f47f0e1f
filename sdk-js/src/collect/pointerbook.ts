const STEP_MILLISECONDS = 50;
const REST_MILLISECONDS = 250;
const MICRO_SHORTEST_MILLISECONDS = 100;
const MICRO_LONGEST_MILLISECONDS = 400;
const AIM_PIXELS = 80;
const FLIP_PIXELS = 6;
const THRASH_FLIPS = 4;
const THRASH_PIXELS = 30;
const SLOW_PIXELS_PER_SECOND = 100;
const GRID_REST_MAXIMUM_MILLISECONDS = 5_000;

interface Point { x: number; y: number; t: number }

export interface PointerBook {
    /** A pointer move; cheap, since only one in 50 ms is worked on. */
    moved(x: number, y: number, now: number, width: number, height: number): void;
    /** A press ends the movement since the last rest: how straight was it? */
    pressed(x: number, y: number, now: number): void;
    /** The `mo` array since the last take; without `inference` only what signal 10 needs. */
    take(inference: boolean): number[];
    /** F and Z likeness of where the slow pointer dwelt, percent. */
    reading(): number[];
}

/** Places of the sums, which are those of `mo`. */
const SAMPLES = 0;
const PATH = 1;
const ACTIVE = 2;
const EFFICIENCY = 3;
const AIMED = 4;
const FLIPS = 5;
const MICRO = 6;
const PEAKS = 7;
const SPEED = 8;
const THRASH = 9;

const freshSums = () => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const percent = (share: number) => Math.round(100 * Math.min(1, share));

/** Mouse movement of one page view, folded into sums as it happens. */
export const makePointerBook = (): PointerBook => {
    let last: Point | null = null;
    let latest: Point | null = null;
    let start: Point | null = null;
    let path = 0;
    let peaks = 0;
    let speedBefore = 0;
    let rising = false;
    let direction = 0;
    let turnAt = 0;
    let thrashTurns: number[] = [];
    let sums = freshSums();
    const grid = [0, 0, 0, 0, 0, 0, 0, 0, 0];

    function begin(point: Point): void {
        start = point;
        path = peaks = speedBefore = 0;
        rising = false;
    }
    function flip({ x, t }: Point): void {
        const step = x - turnAt;
        const next = Math.sign(step) || -1;
        const turns = next !== direction;
        if (turns && Math.abs(step) < FLIP_PIXELS) return;
        if (turns && direction) {
            sums[FLIPS]++;
            if (Math.abs(step) >= THRASH_PIXELS) thrash(t);
        }
        direction = next;
        turnAt = x;
    }
    function thrash(now: number): void {
        thrashTurns = thrashTurns.filter((time) => now - time < 1000).concat(now);
        if (thrashTurns.length < THRASH_FLIPS) return;
        sums[THRASH]++;
        thrashTurns = [];
    }
    function dwell(point: Point, milliseconds: number, width: number, height: number): void {
        const third = (share: number) => Math.min(2, Math.max(0, Math.floor(share * 3)));
        grid[third(point.y / height) * 3 + third(point.x / width)]
            += Math.min(milliseconds, GRID_REST_MAXIMUM_MILLISECONDS);
    }
    function work(point: Point, width: number, height: number): void {
        sums[SAMPLES]++;
        if (!last) {
            begin(point);
            turnAt = point.x;
            last = point;
            return;
        }
        const gap = point.t - last.t;
        const distance = Math.hypot(point.x - last.x, point.y - last.y);
        const speed = gap > 0 ? (distance * 1000) / gap : 0;
        if (speed < SLOW_PIXELS_PER_SECOND) dwell(last, gap, width, height);
        if (gap <= MICRO_LONGEST_MILLISECONDS) {
            sums[ACTIVE] += gap;
            if (gap >= MICRO_SHORTEST_MILLISECONDS) sums[MICRO]++;
        }
        if (gap >= REST_MILLISECONDS) begin(last);
        path += distance;
        sums[PATH] += distance;
        if (speed < speedBefore && rising) peaks++;
        rising = speed > speedBefore;
        speedBefore = speed;
        flip(point);
        last = point;
    }
    return {
        moved(x, y, now, width, height) {
            const point = { x, y, t: now };
            // The last point before a rest would else be lost in the 50 ms step.
            if (latest && last && latest.t > last.t && now - latest.t > STEP_MILLISECONDS) {
                work(latest, width, height);
            }
            latest = point;
            if (!last || now - last.t >= STEP_MILLISECONDS) work(point, width, height);
        },
        pressed(x, y, now) {
            if (!start || !last) return;
            path += Math.hypot(x - last.x, y - last.y);
            const straight = Math.hypot(x - start.x, y - start.y);
            if (straight >= AIM_PIXELS && path > 0) {
                sums[AIMED]++;
                sums[EFFICIENCY] += Math.min(1, straight / path);
                sums[PEAKS] += Math.max(1, peaks + (rising ? 1 : 0));
            }
            begin(last = { x, y, t: now });
        },
        take(inference) {
            const taken = sums;
            sums = freshSums();
            taken[EFFICIENCY] = 100 * taken[EFFICIENCY] / taken[AIMED] || 0;
            taken[PEAKS] = 10 * taken[PEAKS] / taken[AIMED] || 0;
            taken[SPEED] = taken[ACTIVE] && 100 * taken[PATH] / taken[ACTIVE];
            return taken.slice(0, inference ? 10 : 5).map(Math.round);
        },
        reading() {
            const whole = grid.reduce((sum, cell) => sum + cell, 0);
            if (whole < 2000) return [0, 0];
            const share = (...cells: number[]) =>
                cells.reduce((sum, cell) => sum + grid[cell], 0) / whole;
            const top = share(0, 1, 2);
            return [
                percent(Math.min(top / 0.4, share(0, 3, 6) / 0.5)),
                grid[2] && grid[6] ? percent(Math.min(top / 0.3, share(6, 7, 8) / 0.25)) : 0,
            ];
        },
    };
};
