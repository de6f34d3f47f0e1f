import {
    DECISIVE_LONGEST_MILLISECONDS, DECISIVE_SHORTEST_MILLISECONDS, GAP_LONGEST_MILLISECONDS,
    SAMPLES_MAXIMUM,
} from './limits';
import type { RageLimits } from './rage';
import { makeRageRule, median } from './rage';

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

export const makeClickBook = (limits?: RageLimits): ClickBook => {
    const rage = makeRageRule(limits);
    /** Clicks, interactive, decisive, rage, dead and error ones. */
    let sums = [0, 0, 0, 0, 0, 0];
    let gaps: number[] = [];
    let hovers: number[] = [];
    let before = -Infinity;
    let interactions = 0;

    function interactiveClick({ now, hover, entries }: ClickFacts, inRage: boolean): void {
        sums[1]++;
        interactions++;
        const gap = now - before;
        before = now;
        if (gap <= GAP_LONGEST_MILLISECONDS && !inRage && gaps.length < SAMPLES_MAXIMUM)
            gaps.push(gap);
        if (hover < 0) return;
        if (hovers.length < SAMPLES_MAXIMUM) hovers.push(hover);
        const quick = hover >= DECISIVE_SHORTEST_MILLISECONDS
            && hover <= DECISIVE_LONGEST_MILLISECONDS;
        if (quick && entries === 1) sums[2]++;
    }
    return {
        click(facts) {
            sums[0]++;
            const raging = !facts.rageExempt && rage(facts.x, facts.y, facts.now);
            if (raging) sums[3]++;
            if (facts.interactive) interactiveClick(facts, raging);
            return raging;
        },
        dead: () => void sums[4]++,
        error: () => void sums[5]++,
        interactions: () => interactions,
        take() {
            const taken = sums.concat(median(gaps), median(hovers)).map(Math.round);
            sums = [0, 0, 0, 0, 0, 0];
            gaps = [];
            hovers = [];
            return taken;
        },
    };
};
