const FIELDS_MAXIMUM = 40;
const FIELD_CHARACTERS = 32;

export type FieldRow = [string, number, number, number, number, number, number];

interface Field {
    visits: number;
    focusedAt: number;
    firstKeyDelay: number;
    time: number;
    keys: number;
    corrections: number;
    returns: number;
    errors: number;
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
    take(now: number, ends: boolean): FieldRow[];
}

/** How a form is filled in: times, corrections and returns per field, and never what is typed. */
export function makeFormBook(): FormBook {
    const fields = new Map<string, Field>();
    let started = false;

    function of(name: string): Field {
        const key = name.slice(0, FIELD_CHARACTERS);
        let field = fields.get(key);
        if (!field) {
            field = {
                visits: 0, focusedAt: -1, firstKeyDelay: -1, time: 0, keys: 0, corrections: 0,
                returns: 0, errors: 0, deletes: 0, touched: false,
            };
            if (fields.size < FIELDS_MAXIMUM) fields.set(key, field);
        }
        return field;
    }
    function row(name: string, field: Field, now: number): FieldRow {
        if (field.focusedAt >= 0) {
            field.time += now - field.focusedAt;
            field.focusedAt = now;
        }
        const taken: FieldRow = [
            name, Math.max(0, Math.round(field.firstKeyDelay)), Math.round(field.time), field.keys,
            field.corrections, field.returns, field.errors,
        ];
        Object.assign(field,
            { firstKeyDelay: 0, time: 0, keys: 0, corrections: 0, returns: 0, errors: 0 });
        field.touched = false;
        return taken;
    }
    return {
        get started() { return started; },
        focus(name, now) {
            const field = of(name);
            // Coming back to a field that was left after an entry is a return.
            if (field.visits > 0) {
                field.returns++;
                field.touched = true;
            }
            field.focusedAt = now;
        },
        input(name, now, deleting) {
            const field = of(name);
            if (field.firstKeyDelay < 0) {
                field.firstKeyDelay = field.focusedAt < 0 ? 0 : now - field.focusedAt;
            }
            if (!deleting && field.deletes >= 2) field.corrections++;
            field.deletes = deleting ? field.deletes + 1 : 0;
            field.keys++;
            field.touched = true;
            const starts = !started;
            started = true;
            return starts;
        },
        blur(name, now) {
            const field = of(name);
            if (field.focusedAt >= 0) field.time += now - field.focusedAt;
            field.focusedAt = -1;
            if (field.firstKeyDelay >= 0) field.visits++;
        },
        error(name) {
            const field = of(name);
            field.errors++;
            field.touched = true;
        },
        hasNews:
            () => Array.from(fields.values()).some((field) => field.touched && field.focusedAt < 0),
        take(now, ends) {
            const rows: FieldRow[] = [];
            fields.forEach((field, name) => {
                if (field.touched && (ends || field.focusedAt < 0))
                    rows.push(row(name, field, now));
            });
            return rows;
        },
    };
}
