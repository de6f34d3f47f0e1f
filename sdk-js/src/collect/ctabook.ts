const HOVER_SHORTEST_MILLISECONDS = 200;
const HOVER_LONGEST_MILLISECONDS = 10_000;
const CREDIT_MAXIMUM_MILLISECONDS = 5_000;
const RETREAT_HOVER_MILLISECONDS = 500;
const RETREAT_GAP_MILLISECONDS = 60_000;
const IN_VIEW_SHORTEST_MILLISECONDS = 1_500;
const ROWS_MAXIMUM = 20;

interface Cta {
    since: number;
    viewSince: number;
    /** Hover credited for the visit under way, so that a summary in its midst counts it once. */
    credited: number;
    clickedNow: boolean;
    leftUnclickedAt: number;
    sums: number[];
    viewCredited: number;
}

export interface CtaBook {
    entered(index: number, now: number): void;
    left(index: number, now: number): void;
    clicked(index: number): void;
    /** On touch screens: in or out of the middle of the window. */
    inView(index: number, now: number, shown: boolean): void;
    /** The `ct` rows since the last take. */
    take(now: number): number[][];
}

/** Attention for calls to action: hovers of 0.2–10 s, retreats, and time in view on touch. */
export const makeCtaBook = (): CtaBook => {
    const ctas = new Map<number, Cta>();

    function of(index: number): Cta {
        const cta = ctas.get(index) || {
            since: -1, viewSince: -1, credited: 0, clickedNow: false,
            leftUnclickedAt: -Infinity, sums: [0, 0, 0, 0, 0], viewCredited: 0,
        };
        ctas.set(index, cta);
        return cta;
    }
    function credit(cta: Cta, now: number): void {
        const hover = now - cta.since;
        // A pointer parked for longer than 10 s is no longer attention; what was credited stays.
        if (cta.since < 0 || hover < HOVER_SHORTEST_MILLISECONDS
            || hover > HOVER_LONGEST_MILLISECONDS)
            return;
        if (!cta.credited) cta.sums[1]++;
        const credited = Math.min(hover, CREDIT_MAXIMUM_MILLISECONDS);
        cta.sums[0] += credited - cta.credited;
        cta.credited = credited;
    }
    function creditView(cta: Cta, now: number): void {
        const view = now - cta.viewSince;
        if (cta.viewSince < 0 || view < IN_VIEW_SHORTEST_MILLISECONDS) return;
        cta.sums[3] += view - cta.viewCredited;
        cta.viewCredited = view;
    }
    return {
        entered(index, now) {
            const cta = of(index);
            if (now - cta.leftUnclickedAt <= RETREAT_GAP_MILLISECONDS) cta.sums[4]++;
            cta.leftUnclickedAt = -Infinity;
            cta.since = now;
            cta.credited = 0;
            cta.clickedNow = false;
        },
        left(index, now) {
            const cta = of(index);
            credit(cta, now);
            const lingered = cta.since >= 0 && now - cta.since >= RETREAT_HOVER_MILLISECONDS;
            cta.leftUnclickedAt = lingered && !cta.clickedNow ? now : -Infinity;
            cta.since = -1;
        },
        clicked(index) {
            const cta = of(index);
            cta.sums[2]++;
            cta.clickedNow = true;
        },
        inView(index, now, shown) {
            const cta = of(index);
            creditView(cta, now);
            cta.viewSince = shown ? now : -1;
            cta.viewCredited = 0;
        },
        take(now) {
            const rows: number[][] = [];
            ctas.forEach((cta, index) => {
                credit(cta, now);
                creditView(cta, now);
                if (rows.length >= ROWS_MAXIMUM || !cta.sums.some(Boolean)) return;
                rows.push([index].concat(cta.sums.map(Math.round)));
                cta.sums = [0, 0, 0, 0, 0];
            });
            return rows;
        },
    };
};
