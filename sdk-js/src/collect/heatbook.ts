import { base64url } from '../core/ids';
import { BAND_PIXELS, COLUMNS, REST_MAXIMUM_MILLISECONDS, ROWS } from './limits';

export interface HeatBook {
    /** The pointer is at `x` (0 to 1 of the window's width) and `y` (pixels of the document). */
    moved(x: number, y: number, now: number): void;
    /** Where it dwelt since the last take, in a document of this height; undefined when nowhere. */
    take(documentPixels: number): string | undefined;
}

/** One of 64 steps: 8 times the binary logarithm of tenths of a second. */
const step = (milliseconds: number) =>
    Math.min(63, Math.round(8 * Math.log2(1 + milliseconds / 100)));

/**
 * Time of the pointer over a grid of 4 columns and 32 rows of the document, a byte for each cell,
 * row by row, in base64url. A pointer that rests longer than 5 s is parked.
 */
export const makeHeatBook = (): HeatBook => {
    let bands: number[] = [];
    let before = -1;
    let place = 0;
    return {
        moved(x, y, now) {
            const rest = Math.min(now - before, REST_MAXIMUM_MILLISECONDS);
            if (before >= 0) bands[place] = (bands[place] || 0) + rest;
            const column = Math.min(COLUMNS - 1, Math.max(0, Math.floor(x * COLUMNS)));
            place = Math.max(0, Math.floor(y / BAND_PIXELS)) * COLUMNS + column;
            before = now;
        },
        take(documentPixels) {
            const cells: number[] = Array(COLUMNS * ROWS).fill(0);
            const rowBands = Math.max(ROWS, documentPixels / BAND_PIXELS) / ROWS;
            bands.forEach((milliseconds, index) => {
                const row = Math.min(ROWS - 1, Math.floor((index >> 2) / rowBands));
                cells[row * COLUMNS + index % COLUMNS] += milliseconds;
            });
            bands = [];
            before = -1;
            return cells.some(Boolean) ? base64url(Uint8Array.from(cells, step)) : undefined;
        },
    };
};
