import type { Fields } from '../outside';
import type { Books } from './books';

/** What a page view has come to, for measures that are not sums: active ms, depth %, and counts. */
export type PageTotals = [number, number, number, number];

/** Members of a summary that are arrays of numbers. */
type Sums = 'vz' | 'sc' | 'rd' | 'mo' | 'tp' | 'kb' | 'ck';

/**
 * The fields of a page summary: increments since the last one. Arrays of zeros are left out; null
 * when nothing happened at all.
 */
export const summaryOf = (
    books: Books, now: number, part: number, before: PageTotals, ends: boolean, inference: boolean
): Fields | null => {
    const active = books.activity.activeTotal(now);
    const shown = books.sections.anyShown();
    const fields: Fields = { q: part };
    const put = (name: Sums, values: number[], evidence = values) => {
        if (evidence.some(Boolean)) fields[name] = values;
    };
    const vz = books.activity.take(now);
    put('vz', vz, vz.slice(0, 7));
    const sc = books.scroll.take(now, ends, shown);
    put('sc', sc, part === 1 ? sc : sc.slice(0, 7));
    const rows = books.sections.take(now, active);
    if (rows.length) fields.S = rows;
    const [credited, expected, actual, linear] = books.sections.takeReading();
    const [f, z] = books.pointer.reading();
    put('rd', [credited, expected, f, z, linear, actual], [credited, expected]);
    put('mo', books.pointer.take(inference));
    put('tp', books.touch.take());
    put('kb', books.keys.take());
    put('ck', books.clicks.take());
    const ctas = books.ctas.take(now);
    if (ctas.length) fields.ct = ctas;
    if (!Object.keys(fields)[1]) return null;
    fields.pt = [
        Math.round(active), Math.round(books.scroll.depth() * 100),
        books.sections.qualifiedCount(), books.clicks.interactions() + books.keys.interactions(),
        ...before,
    ];
    return fields;
};
