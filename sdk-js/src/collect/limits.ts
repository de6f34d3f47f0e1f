/**
 * Numbers of files that import something: esbuild puts the value of a constant in its places only
 * where it comes from a file without imports, which saves 130 bytes.
 */

// behaviour.ts
export const BLUR_SUMMARY_MILLISECONDS = 1_000;

// clickbook.ts
export const DECISIVE_SHORTEST_MILLISECONDS = 80;
export const DECISIVE_LONGEST_MILLISECONDS = 1_200;
export const GAP_LONGEST_MILLISECONDS = 30_000;
export const SAMPLES_MAXIMUM = 50;

/** Meaning of the bits in a click event's `f`. */
export const FLAG_CTA = 1;
export const FLAG_OUTBOUND = 2;
export const FLAG_DOWNLOAD = 4;
export const FLAG_RAGE = 8;
export const FLAG_DEAD = 16;
export const FLAG_ERROR = 32;

// clicks.ts
export const ERROR_MILLISECONDS = 1_000;

// deadclick.ts
export const MUTATION_MILLISECONDS = 2_500;
export const SCROLL_MILLISECONDS = 100;
export const FOCUS_MILLISECONDS = 1_000;

// forms.ts
export const FORM_CHARACTERS = 48;
export const FIELD_CHARACTERS = 32;
export const START = 1;
export const PROGRESS = 2;
export const SUBMIT = 3;
export const LEFT = 4;

// heatbook.ts
export const COLUMNS = 4;
export const ROWS = 32;
export const BAND_PIXELS = 32;
export const REST_MAXIMUM_MILLISECONDS = 5_000;

// sections.ts
export const SECTIONS_MAXIMUM = 60;
export const CATEGORY_CHARACTERS = 32;
export const HALF = 0.5;
