const BURST_GAP_MILLISECONDS = 1_500;
const BURST_KEYS = 3;
const GAP_LONGEST_MILLISECONDS = 2_000;

/** The little that is told about a key: never which one, but for these. */
export type KeyKind = 'text' | 'search' | 'delete' | 'step' | 'copy' | 'find' | 'print';

export interface KeyBook {
    key(kind: KeyKind, now: number): void;
    interactions(): number;
    /** The `kb` array since the last take. */
    take(): number[];
}

/** What kind of key press this is; null for keys that say nothing. */
export const keyKind = (
    event: { key: string; ctrlKey: boolean; metaKey: boolean }, inText: boolean, inSearch: boolean
): KeyKind | null => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
        const kinds: { [key: string]: KeyKind } = { 'c': 'copy', 'f': 'find', 'p': 'print' };
        return kinds[key.toLowerCase()] || null;
    }
    if (key === 'Backspace' || key === 'Delete') return inText ? 'delete' : null;
    if (key === 'Tab' || (/^Arrow/.test(key) && !inText)) return 'step';
    if (!inText || key.length !== 1) return null;
    return inSearch ? 'search' : 'text';
};

/** Where a kind is counted among the sums: bursts, keys, deletes, copies, finds, prints. */
const PLACES: { [kind: string]: number } = { 'copy': 3, 'find': 4, 'print': 5 };

export const makeKeyBook = (): KeyBook => {
    let sums = [0, 0, 0, 0, 0, 0];
    /** Number, sum and sum of squares of the gaps between keys. */
    let gaps = [0, 0, 0];
    let runKind = '';
    let runLength = 0;
    let before = -Infinity;
    let interactions = 0;

    return {
        key(kind, now) {
            const gap = now - before;
            interactions++;
            if (PLACES[kind]) {
                sums[PLACES[kind]]++;
                return;
            }
            before = now;
            runLength = runKind === kind && gap <= BURST_GAP_MILLISECONDS ? runLength + 1 : 1;
            runKind = kind;
            // Typing in a form is the form's own signal; here searching and stepping through count.
            if (runLength === BURST_KEYS && /^s/.test(kind)) sums[0]++;
            if (kind === 'step') return;
            sums[1]++;
            if (kind === 'delete') sums[2]++;
            if (gap <= GAP_LONGEST_MILLISECONDS) {
                gaps = [gaps[0] + 1, gaps[1] + gap, gaps[2] + gap * gap];
            }
        },
        interactions: () => interactions,
        take() {
            const [bursts, keys, deletes, ...shortcuts] = sums;
            const mean = gaps[1] / gaps[0] || 0;
            const variance = Math.max(0, gaps[2] / gaps[0] - mean * mean);
            const variation = 100 * Math.sqrt(variance) / mean || 0;
            const deleted = 100 * deletes / keys || 0;
            sums = [0, 0, 0, 0, 0, 0];
            gaps = [0, 0, 0];
            return [bursts, keys, mean, variation, deleted, ...shortcuts].map(Math.round);
        },
    };
};
