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
    reading(): { f: number; z: number };
}

function freshSums() {
    return {
        samples: 0, path: 0, active: 0, efficiency: 0, aimed: 0, flips: 0, micro: 0, peaks: 0,
        thrash: 0,
    };
}

/** Mouse movement of one page view, folded into sums as it happens. */
export function makePointerBook(): PointerBook {
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
    function flip(x: number, now: number): void {
        const step = x - turnAt;
        const next = step > 0 ? 1 : -1;
        if (next === direction) {
            turnAt = x;
        } else if (Math.abs(step) >= FLIP_PIXELS) {
            if (direction) sums.flips++;
            if (direction && Math.abs(step) >= THRASH_PIXELS) thrash(now);
            direction = next;
            turnAt = x;
        }
    }
    function thrash(now: number): void {
        thrashTurns = thrashTurns.filter((time) => now - time < 1000).concat(now);
        if (thrashTurns.length < THRASH_FLIPS) return;
        sums.thrash++;
        thrashTurns = [];
    }
    function peak(speed: number): void {
        if (speed < speedBefore && rising) peaks++;
        rising = speed > speedBefore;
        speedBefore = speed;
    }
    function dwell(point: Point, milliseconds: number, width: number, height: number): void {
        const column = Math.min(2, Math.floor((point.x / width) * 3));
        const row = Math.min(2, Math.floor((point.y / height) * 3));
        const cell = row * 3 + column;
        if (cell >= 0) grid[cell] += Math.min(milliseconds, GRID_REST_MAXIMUM_MILLISECONDS);
    }
    function work(point: Point, width: number, height: number): void {
        sums.samples++;
        if (!last || !start) {
            begin(point);
            turnAt = point.x;
            last = point;
            return;
        }
        const gap = point.t - last.t;
        const distance = Math.hypot(point.x - last.x, point.y - last.y);
        const speed = gap > 0 ? (distance * 1000) / gap : 0;
        if (speed < SLOW_PIXELS_PER_SECOND) dwell(last, gap, width, height);
        if (gap >= MICRO_SHORTEST_MILLISECONDS && gap <= MICRO_LONGEST_MILLISECONDS) sums.micro++;
        if (gap <= MICRO_LONGEST_MILLISECONDS) sums.active += gap;
        if (gap >= REST_MILLISECONDS) begin(last);
        path += distance;
        sums.path += distance;
        peak(speed);
        flip(point.x, point.t);
        last = point;
    }
    function percent(part: number, whole: number): number {
        return Math.round(100 * Math.max(0, Math.min(1, part / whole)));
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
                sums.aimed++;
                sums.efficiency += Math.min(1, straight / path);
                sums.peaks += Math.max(1, peaks + (rising ? 1 : 0));
            }
            last = { x, y, t: now };
            begin(last);
        },
        take(inference) {
            const { samples, path: pixels, active, aimed } = sums;
            const mean = (sum: number) => (aimed ? sum / aimed : 0);
            const speed = active ? pixels / active : 0;
            const taken = [samples, pixels, active, mean(sums.efficiency) * 100, aimed];
            if (inference) {
                taken.push(sums.flips, sums.micro, mean(sums.peaks) * 10, speed * 100, sums.thrash);
            }
            sums = freshSums();
            return taken.map(Math.round);
        },
        reading() {
            const whole = grid.reduce((sum, cell) => sum + cell, 0);
            if (whole < 2000) return { f: 0, z: 0 };
            const top = (grid[0] + grid[1] + grid[2]) / whole;
            const bottom = (grid[6] + grid[7] + grid[8]) / whole;
            const left = (grid[0] + grid[3] + grid[6]) / whole;
            return {
                f: percent(Math.min(top / 0.4, left / 0.5), 1),
                z: grid[2] && grid[6] ? percent(Math.min(top / 0.3, bottom / 0.25), 1) : 0,
            };
        },
    };
}
