import type { RageLimits } from './rage';
import { makeRageRule, median } from './rage';

const DECISIVE_SHORTEST_MILLISECONDS = 80;
const DECISIVE_LONGEST_MILLISECONDS = 1_200;
const GAP_LONGEST_MILLISECONDS = 30_000;
const SAMPLES_MAXIMUM = 50;

/** Meaning of the bits in a click event's `f`. */
export const FLAG_CTA = 1;
export const FLAG_OUTBOUND = 2;
export const FLAG_DOWNLOAD = 4;
export const FLAG_RAGE = 8;
export const FLAG_DEAD = 16;
export const FLAG_ERROR = 32;

export interface ClickFacts {
    x: number;
    y: number;
    now: number;
    interactive: boolean;
    /** From the pointer's entry to the press; -1 when unknown, as on touch. */
    hover: number;
    /** How often the pointer had entered the target before, this time included. */
    entries: number;
    /** Steppers, text fields and the like are clicked quickly for good reasons. */
    rageExempt: boolean;
}

export interface ClickBook {
    /** Counts a click; true when it makes a rage click. */
    click(facts: ClickFacts): boolean;
    dead(): void;
    error(): void;
    interactions(): number;
    /** The `ck` array since the last take. */
    take(): number[];
}

export function makeClickBook(limits?: RageLimits): ClickBook {
    const rage = makeRageRule(limits);
    let sums = { clicks: 0, interactive: 0, decisive: 0, rage: 0, dead: 0, error: 0 };
    let gaps: number[] = [];
    let hovers: number[] = [];
    let before = -Infinity;
    let interactions = 0;

    function interactiveClick(facts: ClickFacts, inRage: boolean): void {
        sums.interactive++;
        interactions++;
        const gap = facts.now - before;
        before = facts.now;
        if (gap <= GAP_LONGEST_MILLISECONDS && !inRage && gaps.length < SAMPLES_MAXIMUM)
            gaps.push(gap);
        if (facts.hover < 0) return;
        if (hovers.length < SAMPLES_MAXIMUM) hovers.push(facts.hover);
        const quick = facts.hover >= DECISIVE_SHORTEST_MILLISECONDS
            && facts.hover <= DECISIVE_LONGEST_MILLISECONDS;
        if (quick && facts.entries === 1) sums.decisive++;
    }
    return {
        click(facts) {
            sums.clicks++;
            const raging = !facts.rageExempt && rage.click(facts.x, facts.y, facts.now);
            if (raging) sums.rage++;
            if (facts.interactive) interactiveClick(facts, raging);
            return raging;
        },
        dead: () => void sums.dead++,
        error: () => void sums.error++,
        interactions: () => interactions,
        take() {
            const { clicks, interactive, decisive, dead, error } = sums;
            const taken = [
                clicks, interactive, decisive, sums.rage, dead, error, median(gaps), median(hovers)
            ];
            sums = { clicks: 0, interactive: 0, decisive: 0, rage: 0, dead: 0, error: 0 };
            gaps = [];
            hovers = [];
            return taken.map(Math.round);
        },
    };
}
