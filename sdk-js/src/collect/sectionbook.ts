import type { Row } from '../outside';

const QUALIFY_MILLISECONDS = 1_000;
const DWELL_MAXIMUM_MILLISECONDS = 30_000;
const REVISITS_MAXIMUM = 3;
const WORDS_PER_MINUTE = 238;
const TEXT_WORDS_MINIMUM = 20;
/** What a summary reports of actual reading: no section counts for more than this many times. */
const ACTUAL_MAXIMUM = 10;

interface Section {
    index: number;
    category: string;
    words: number;
    /** When it came into view, or -1; it qualifies after one unbroken second. */
    since: number;
    /** Active total up to which its dwell is counted. */
    countedActive: number;
    qualified: boolean;
    /** Entries, dwell, clicks, revisits. */
    sums: number[];
    maximumVisible: number;
    /** The sums, and the largest share, as they were told last. */
    sent: number[];
}

/** Credited, expected and actual milliseconds, and the share of first views in the page's order. */
export type Reading = number[];

export interface SectionBook {
    add(category: string, words: number): number;
    /** Section `index` is now visible by `share` of itself (0–1); `counts` if that is enough. */
    seen(now: number, activeTotal: number, index: number, share: number, counts: boolean): void;
    clicked(index: number): void;
    anyShown(): boolean;
    /** Sections that qualified in this page view. */
    qualifiedCount(): number;
    /** The `S` rows since the last take. */
    take(now: number, activeTotal: number): Row[];
    takeReading(): Reading;
}

/** Which sections of a page view were looked at, for how long, and returned to. */
export const makeSectionBook = (): SectionBook => {
    const sections: Section[] = [];
    const firstViews: number[] = [];
    let lastQualified = -1;
    let sentReading = [0, 0, 0, 0];

    function qualify({ sums, index }: Section): void {
        if (!sums[0]++) firstViews.push(index);
        else if (lastQualified !== index && sums[3] < REVISITS_MAXIMUM) sums[3]++;
        lastQualified = index;
    }
    /** Sections that became visible earlier qualify earlier, which decides what a revisit is. */
    function account(now: number, activeTotal: number): void {
        const shown = sections.filter((section) => section.since >= 0);
        for (const section of shown.sort((left, right) => left.since - right.since)) {
            if (!section.qualified && now - section.since < QUALIFY_MILLISECONDS) continue;
            if (!section.qualified) qualify(section);
            section.qualified = true;
            section.sums[1] += activeTotal - section.countedActive;
            section.countedActive = activeTotal;
        }
    }
    function row({ index, category, words, sums, ...section }: Section): Row | null {
        const { sent } = sections[index];
        const visible = Math.round(section.maximumVisible * 100);
        const totals = sums.map(Math.round);
        totals[1] = Math.min(totals[1], DWELL_MAXIMUM_MILLISECONDS);
        const news = totals.map((total, place) => total - sent[place]);
        if (!news.some(Boolean) && !(section.qualified && visible > sent[4])) return null;
        sections[index].sent = totals.concat(visible);
        return [index, category, news[0], news[1], visible, words, news[2], news[3]];
    }
    function linearShare(): number {
        const ordered = firstViews.filter((view, place) => view > firstViews[place - 1]);
        return firstViews.length < 3 ? 0 : ordered.length / (firstViews.length - 1);
    }
    return {
        add(category, words) {
            return sections.push({
                index: sections.length, category, words, since: -1, countedActive: 0,
                qualified: false, sums: [0, 0, 0, 0], maximumVisible: 0, sent: [0, 0, 0, 0, 0],
            }) - 1;
        },
        seen(now, activeTotal, index, share, counts) {
            const section = sections[index];
            account(now, activeTotal);
            section.maximumVisible = Math.max(section.maximumVisible, share);
            if (!counts) {
                section.since = -1;
                section.qualified = false;
            } else if (section.since < 0) {
                section.since = now;
                section.countedActive = activeTotal;
            }
        },
        clicked(index) {
            if (sections[index]) sections[index].sums[2]++;
        },
        anyShown: () => sections.some((section) => section.since >= 0),
        qualifiedCount: () => firstViews.length,
        take(now, activeTotal) {
            account(now, activeTotal);
            return sections.map(row).filter(Boolean) as Row[];
        },
        takeReading() {
            const totals = [0, 0, 0];
            for (const { words, sums: [entries, dwell] } of sections) {
                if (!entries || words < TEXT_WORDS_MINIMUM) continue;
                const expected = (words / WORDS_PER_MINUTE) * 60_000;
                totals[0] += Math.min(dwell, expected);
                totals[1] += expected;
                totals[2] += Math.min(dwell, expected * ACTUAL_MAXIMUM);
            }
            const before = sentReading;
            sentReading = totals.map(Math.round);
            return sentReading.map((total, place) => total - before[place])
                .concat(Math.round(linearShare() * 100));
        },
    };
};
