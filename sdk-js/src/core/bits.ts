/** Consent bits as they travel in a batch's `c`. */
export const MEASUREMENT = 1;
export const STORAGE = 2;
export const PROFILING = 4;
export const LINKING = 8;
export const INFERENCE = 16;
export const ADVERTISING = 32;
export const ALL = 63;

/** What the browser's refusal takes away. */
export const CLEARED_BY_REFUSAL = PROFILING | LINKING | INFERENCE | ADVERTISING;
