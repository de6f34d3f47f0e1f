/**
 * Numbers of files that import something: esbuild puts the value of a constant in its places only
 * where it comes from a file without imports, which saves 130 bytes.
 */

// dialogues.ts
export const STRING_CHARACTERS = 2048;

// keep.ts
export const BYTES_MAXIMUM = 64 * 1024;
export const ADOPT_MILLISECONDS = 2_000;

// links.ts
export const VERSION = '1';
export const SECONDS = 120;
export const UNDO_MILLISECONDS = 1_000;

// moves.ts
export const QUICK_MILLISECONDS = 7_000;
export const TRAIL_MAXIMUM = 8;

// twins.ts
export const META = 1;
export const GOOGLE = 2;
