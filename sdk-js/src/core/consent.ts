/** Consent bits as they travel in a batch's `c`. */
export const MEASUREMENT = 1;
export const STORAGE = 2;
export const PROFILING = 4;
export const LINKING = 8;
export const INFERENCE = 16;
export const ADVERTISING = 32;

const ALL = 63;
const CLEARED_BY_GLOBAL_PRIVACY_CONTROL = PROFILING | LINKING | INFERENCE | ADVERTISING;

/** The bits that hold once the browser's own refusal (Global Privacy Control) is respected. */
export function effectiveConsent(wanted: number, globalPrivacyControl: boolean): number {
    const bits = wanted & ALL;
    return globalPrivacyControl ? bits & ~CLEARED_BY_GLOBAL_PRIVACY_CONTROL : bits;
}

/** Which consent each event type needs; `cs` is always told, so that a refusal is. */
export function neededConsent(type: string): number {
    if (type === 'cs') return 0;
    return type === 'ps' || type === 'fm' || type === 'nv' ? MEASUREMENT | PROFILING : MEASUREMENT;
}

/** Whether the browser refuses on the visitor's behalf. */
export function globalPrivacyControl(): boolean {
    return Boolean((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl);
}
