const QUALIFY_MILLISECONDS = 1_000;
const DWELL_MAXIMUM_MILLISECONDS = 30_000;
const REVISITS_MAXIMUM = 3;
const WORDS_PER_MINUTE = 238;
const TEXT_WORDS_MINIMUM = 20;
/** What a summary reports of actual reading: no section counts for more than this many times. */
const ACTUAL_MAXIMUM = 10;

interface Section {
    category: string;
    words: number;
    /** When it came into view, or -1; it qualifies after one unbroken second. */
    since: number;
    /** Active total up to which its dwell is counted. */
    countedActive: number;
    qualified: boolean;
    dwell: number;
    entries: number;
    revisits: number;
    maximumVisible: number;
    clicks: number;
    sent: { dwell: number; entries: number; revisits: number; clicks: number; visible: number };
}

export interface Reading {
    credited: number;
    expected: number;
    actual: number;
    /** Share of first views in the order of the page, percent. */
    linear: number;
}

export interface SectionBook {
    add(category: string, words: number): number;
    /** Section `index` is now visible by `share` of itself (0–1); `counts` if that is enough. */
    seen(now: number, activeTotal: number, index: number, share: number, counts: boolean): void;
    clicked(index: number): void;
    anyShown(): boolean;
    /** Sections that qualified in this page view. */
    qualifiedCount(): number;
    /** The `S` rows since the last take. */
    take(now: number, activeTotal: number): (number | string)[][];
    takeReading(): Reading;
}

/** Which sections of a page view were looked at, for how long, and returned to. */
export function makeSectionBook(): SectionBook {
    const sections: Section[] = [];
    const firstViews: number[] = [];
    let lastQualified = -1;
    let sentReading = { credited: 0, expected: 0, actual: 0 };

    function qualify(section: Section, index: number): void {
        section.qualified = true;
        section.entries++;
        if (section.entries === 1) firstViews.push(index);
        else if (lastQualified !== index && section.revisits < REVISITS_MAXIMUM) section.revisits++;
        lastQualified = index;
    }
    function account(section: Section, index: number, now: number, activeTotal: number): void {
        if (section.since < 0) return;
        if (!section.qualified && now - section.since >= QUALIFY_MILLISECONDS)
            qualify(section, index);
        if (!section.qualified) return;
        section.dwell += activeTotal - section.countedActive;
        section.countedActive = activeTotal;
    }
    /** Sections that became visible earlier qualify earlier, which decides what a revisit is. */
    function accountAll(now: number, activeTotal: number): void {
        sections
            .map((section, index) => ({ section, index }))
            .filter(({ section }) => section.since >= 0)
            .sort((left, right) => left.section.since - right.section.since)
            .forEach(({ section, index }) => account(section, index, now, activeTotal));
    }
    function row(section: Section, index: number): (number | string)[] | null {
        const { sent } = section;
        const dwell = Math.min(section.dwell, DWELL_MAXIMUM_MILLISECONDS);
        const deltas = [
            section.entries - sent.entries, Math.round(dwell - sent.dwell),
            section.clicks - sent.clicks, section.revisits - sent.revisits,
        ];
        const visible = Math.round(section.maximumVisible * 100);
        if (!deltas.some((delta) => delta > 0) && !(section.qualified && visible > sent.visible)) {
            return null;
        }
        section.sent = {
            dwell: sent.dwell + deltas[1], entries: section.entries, revisits: section.revisits,
            clicks: section.clicks, visible,
        };
        return [
            index, section.category, deltas[0], deltas[1], visible, section.words, deltas[2],
            deltas[3]
        ];
    }
    function readingTotals(): { credited: number; expected: number; actual: number } {
        const totals = { credited: 0, expected: 0, actual: 0 };
        for (const section of sections) {
            if (!section.entries || section.words < TEXT_WORDS_MINIMUM) continue;
            const expected = (section.words / WORDS_PER_MINUTE) * 60_000;
            totals.expected += expected;
            totals.credited += Math.min(section.dwell, expected);
            totals.actual += Math.min(section.dwell, expected * ACTUAL_MAXIMUM);
        }
        return totals;
    }
    function linearShare(): number {
        const ordered
            = firstViews.filter((view, place) => place > 0 && view > firstViews[place - 1]);
        return firstViews.length < 3 ? 0 : ordered.length / (firstViews.length - 1);
    }
    return {
        add(category, words) {
            sections.push({
                category,
                words,
                since: -1,
                countedActive: 0,
                qualified: false,
                dwell: 0,
                entries: 0,
                revisits: 0,
                maximumVisible: 0,
                clicks: 0,
                sent: { dwell: 0, entries: 0, revisits: 0, clicks: 0, visible: 0 },
            });
            return sections.length - 1;
        },
        seen(now, activeTotal, index, share, counts) {
            const section = sections[index];
            if (!section) return;
            accountAll(now, activeTotal);
            section.maximumVisible = Math.max(section.maximumVisible, share);
            if (counts && section.since < 0) {
                section.since = now;
                section.countedActive = activeTotal;
            } else if (!counts) {
                section.since = -1;
                section.qualified = false;
            }
        },
        clicked(index) {
            if (sections[index]) sections[index].clicks++;
        },
        anyShown: () => sections.some((section) => section.since >= 0),
        qualifiedCount: () => firstViews.length,
        take(now, activeTotal) {
            accountAll(now, activeTotal);
            return sections.map(row).filter((found): found is (number | string)[] => found !== null);
        },
        takeReading() {
            const totals = readingTotals();
            const delta = {
                credited: Math.round(totals.credited - sentReading.credited),
                expected: Math.round(totals.expected - sentReading.expected),
                actual: Math.round(totals.actual - sentReading.actual),
                linear: Math.round(linearShare() * 100),
            };
            sentReading = {
                credited: sentReading.credited + delta.credited,
                expected: sentReading.expected + delta.expected,
                actual: sentReading.actual + delta.actual,
            };
            return delta;
        },
    };
}
