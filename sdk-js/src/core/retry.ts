export const TRIES_MAXIMUM = 8;
export const AGE_MAXIMUM_MILLISECONDS = 24 * 3600 * 1000;
const DELAY_MAXIMUM_MILLISECONDS = 5 * 60 * 1000;

/** Whether the same batch may fare better later; status 0 stands for "no answer". */
export const isWorthRetrying = (status: number) =>
    status === 0 || status >= 500 || status === 408 || status === 425 || status === 429;

/** `Retry-After` in milliseconds, as our engine writes it: seconds; 0 when absent or unreadable. */
export const retryAfterMilliseconds = (header: string | null) =>
    Math.min(Number(header) * 1000 || 0, DELAY_MAXIMUM_MILLISECONDS);

/**
 * The wait before the next try, after `tries` failed ones. Jitter of half the wait either way keeps
 * many browsers from coming back at the same moment; `random` is in 0..<1.
 */
export const backoffMilliseconds = (tries: number, retryAfter: number, random: number): number => {
    const wait = 1000 * 2 ** Math.min(tries - 1, 20) * (0.5 + random);
    return Math.max(Math.min(wait, DELAY_MAXIMUM_MILLISECONDS), retryAfter);
};
