// Tables as files for spreadsheets (RFC 4180). What visitors send may begin like a formula.

export type Cell = string | number | null;

const FORMULA = /^[\s\0]*[=+\-@|%＝＋－＠]|^[\t\r\n]/u;
const KEPT_MILLISECONDS = 10_000;

/** Numbers stay numbers; a text that a spreadsheet would work out gets an apostrophe before it. */
export function csvCell(cell: Cell): string {
    if (cell === null) return '';
    if (typeof cell === 'number') return String(cell);
    const text = FORMULA.test(cell) ? `'${cell}` : cell;
    return `"${text.replaceAll('"', '""')}"`;
}

export function csv(rows: readonly Cell[][]): string {
    return rows.map((row) => row.map(csvCell).join(',') + '\r\n').join('');
}

/** Saves it; the mark at the start tells spreadsheets that it is UTF-8. */
export function saveCsv(name: string, rows: readonly Cell[][]): void {
    const address = URL.createObjectURL(new Blob(['\ufeff', csv(rows)], { type: 'text/csv' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `${name.replace(/[^\w.-]+/g, '-')}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MILLISECONDS);
}
