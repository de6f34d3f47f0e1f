/**
 * Numbers of files that import something: esbuild puts the value of a constant in its places only
 * where it comes from a file without imports, which saves 130 bytes.
 */

// api.ts
export const NAME_CHARACTERS = 64;

// guard.ts
export const FAILURES_MAXIMUM = 3;

// outbox.ts: limits of the wire format and of this queue
export const BATCH_EVENTS = 32;
export const BATCH_BYTES = 24 * 1024;
export const EVENT_BYTES = 4096;
export const WAIT_MILLISECONDS = 10_000;
export const MEMORY_EVENTS = 500;
export const MEMORY_BYTES = 256 * 1024;

// pages.ts
export const SETTLE_MILLISECONDS = 300;
export const ROUTE_MILLISECONDS = 50;
export const TITLE_CHARACTERS = 128;

// props.ts
export const KEYS_MAXIMUM = 32;
export const CHARACTERS_MAXIMUM = 2_000;
export const KEY_CHARACTERS = 64;

// transport.ts
/**
 * Browsers refuse keepalive requests and beacons beyond 64 KiB that are under way together; we stay
 * below with what we know is ours.
 */
export const KEEPALIVE_BYTES = 60_000;
export const TIMEOUT_MILLISECONDS = 15_000;
