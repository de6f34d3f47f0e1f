/** What an answer means for the batch. */
export type Outcome = 'done' | 'retry' | 'drop';

export const TRIES_MAXIMUM = 8;
export const AGE_MAXIMUM_MILLISECONDS = 24 * 3600 * 1000;
const DELAY_MAXIMUM_MILLISECONDS = 5 * 60 * 1000;

/** Status 0 stands for "no answer". */
export function outcomeOf(status: number): Outcome {
    if (status >= 200 && status < 300) return 'done';
    if (status === 0 || status >= 500 || status === 408 || status === 425 || status === 429) {
        return 'retry';
    }
    return 'drop';
}

/** `Retry-After` in milliseconds: seconds or a date; 0 when absent or unreadable. */
export function retryAfterMilliseconds(header: string | null, now: number): number {
    if (!header) return 0;
    const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
    return wait > 0 ? Math.min(wait, DELAY_MAXIMUM_MILLISECONDS) : 0;
}

/**
 * The wait before the next try, after `tries` failed ones. Jitter of half the wait either way keeps
 * many browsers from coming back at the same moment; `random` is in 0..<1.
 */
export function backoffMilliseconds(tries: number, retryAfter: number, random: number): number {
    const doubled = 1000 * Math.pow(2, Math.min(tries - 1, 20));
    const wait = Math.min(doubled * (0.5 + random), DELAY_MAXIMUM_MILLISECONDS);
    return Math.max(wait, retryAfter);
}
