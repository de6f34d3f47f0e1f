import type { Row } from '../outside';

const FIELDS_MAXIMUM = 40;
const FIELD_CHARACTERS = 32;

/** Places of a field's counters, in the order of its row. */
const DELAY = 0;
const TIME = 1;
const KEYS = 2;
const CORRECTIONS = 3;
const RETURNS = 4;
const ERRORS = 5;

interface Field {
    /** Times that it was left after an entry. */
    visits: number;
    focusedAt: number;
    /** Delay of the first key (-1: none yet), time, keys, corrections, returns, errors. */
    sums: number[];
    deletes: number;
    touched: boolean;
}

export interface FormBook {
    readonly started: boolean;
    focus(field: string, now: number): void;
    /** A value changed; true for the change that starts the form. */
    input(field: string, now: number, deleting: boolean): boolean;
    blur(field: string, now: number): void;
    error(field: string): void;
    hasNews(): boolean;
    /** Rows of the fields that were touched since the last take and left, or of all with `ends`. */
    take(now: number, ends: boolean): Row[];
}

/** How a form is filled in: times, corrections and returns per field, and never what is typed. */
export const makeFormBook = (): FormBook => {
    const fields = new Map<string, Field>();
    let started = false;

    function of(name: string): Field {
        const key = name.slice(0, FIELD_CHARACTERS);
        let field = fields.get(key);
        if (!field) {
            field = {
                visits: 0, focusedAt: -1, sums: [-1, 0, 0, 0, 0, 0], deletes: 0, touched: false,
            };
            if (fields.size < FIELDS_MAXIMUM) fields.set(key, field);
        }
        return field;
    }
    function count(field: Field, place: number): void {
        field.sums[place]++;
        field.touched = true;
    }
    /** Counts the time up to `now`; the field is in focus from then on, or not with -1. */
    function rest(field: Field, now: number, next: number): void {
        if (field.focusedAt >= 0) {
            field.sums[TIME] += now - field.focusedAt;
            field.focusedAt = next;
        }
    }
    return {
        get started() { return started; },
        focus(name, now) {
            const field = of(name);
            // Coming back to a field that was left after an entry is a return.
            if (field.visits) count(field, RETURNS);
            field.focusedAt = now;
        },
        input(name, now, deleting) {
            const field = of(name);
            const { sums, focusedAt } = field;
            if (sums[DELAY] < 0) sums[DELAY] = focusedAt < 0 ? 0 : now - focusedAt;
            if (!deleting && field.deletes >= 2) sums[CORRECTIONS]++;
            field.deletes = deleting ? field.deletes + 1 : 0;
            count(field, KEYS);
            const starts = !started;
            started = true;
            return starts;
        },
        blur(name, now) {
            const field = of(name);
            rest(field, now, -1);
            if (field.sums[DELAY] >= 0) field.visits++;
        },
        error: (name) => count(of(name), ERRORS),
        hasNews: () => [...fields.values()].some((field) => field.touched && field.focusedAt < 0),
        take(now, ends) {
            const rows: Row[] = [];
            fields.forEach((field, name) => {
                if (!field.touched || !ends && field.focusedAt >= 0) return;
                rest(field, now, now);
                rows.push([name, ...field.sums.map((sum) => Math.max(0, Math.round(sum)))]);
                field.sums.fill(0);
                field.touched = false;
            });
            return rows;
        },
    };
};
