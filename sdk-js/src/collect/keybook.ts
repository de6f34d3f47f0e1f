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
export function keyKind(
    event: { key: string; ctrlKey: boolean; metaKey: boolean }, inText: boolean, inSearch: boolean
): KeyKind | null {
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
        const shortcuts: { [key: string]: KeyKind } = { c: 'copy', f: 'find', p: 'print' };
        return shortcuts[key.toLowerCase()] || null;
    }
    if (key === 'Backspace' || key === 'Delete') return inText ? 'delete' : null;
    if (key === 'Tab' || (/^Arrow/.test(key) && !inText)) return 'step';
    if (!inText || key.length !== 1) return null;
    return inSearch ? 'search' : 'text';
}

export function makeKeyBook(): KeyBook {
    let sums = { bursts: 0, keys: 0, deletes: 0, copy: 0, find: 0, print: 0 };
    let gaps = { count: 0, sum: 0, squares: 0 };
    let run = { kind: '' as KeyKind | '', length: 0 };
    let before = -Infinity;
    let interactions = 0;

    function countRun(kind: KeyKind, gap: number): void {
        run = {
            kind,
            length: run.kind === kind && gap <= BURST_GAP_MILLISECONDS ? run.length + 1 : 1
        };
        // Typing in a form is the form's own signal; here only searching and stepping through
        // count.
        if (run.length === BURST_KEYS && (kind === 'search' || kind === 'step')) sums.bursts++;
    }
    function countGap(gap: number): void {
        if (gap > GAP_LONGEST_MILLISECONDS) return;
        gaps = { count: gaps.count + 1, sum: gaps.sum + gap, squares: gaps.squares + gap * gap };
    }
    return {
        key(kind, now) {
            const gap = now - before;
            interactions++;
            if (kind === 'copy' || kind === 'find' || kind === 'print') {
                sums[kind]++;
                return;
            }
            before = now;
            countRun(kind, gap);
            if (kind === 'step') return;
            sums.keys++;
            if (kind === 'delete') sums.deletes++;
            countGap(gap);
        },
        interactions: () => interactions,
        take() {
            const mean = gaps.count ? gaps.sum / gaps.count : 0;
            const variance = gaps.count ? Math.max(0, gaps.squares / gaps.count - mean * mean) : 0;
            const variation = mean ? (100 * Math.sqrt(variance)) / mean : 0;
            const deletes = sums.keys ? (100 * sums.deletes) / sums.keys : 0;
            const { bursts, keys, copy, find, print } = sums;
            sums = { bursts: 0, keys: 0, deletes: 0, copy: 0, find: 0, print: 0 };
            gaps = { count: 0, sum: 0, squares: 0 };
            return [bursts, keys, mean, variation, deletes, copy, find, print].map(Math.round);
        },
    };
}
