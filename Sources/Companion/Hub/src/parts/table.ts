// A table that becomes stacked rows on a phone: each cell carries its column's name.

import { h } from '../core/dom';

export interface Column<T> {
    title: string;
    cell(row: T): Node | string;
    /** Numbers stand at the right. */
    isNumber?: boolean;
}

/** So many columns leave no room for bars on a small screen. */
const MANY = 6;

export function table<T>(caption: string, columns: Column<T>[], rows: readonly T[]): HTMLElement {
    const head = columns.map((one) =>
        h('th', { scope: 'col', class: one.isNumber ? 'number' : null }, one.title),
    );
    return h(
        'table',
        { class: `rows${columns.length > MANY ? ' many' : columns.length === 2 ? ' pair' : ''}` },
        h('caption', { class: 'unseen' }, caption),
        h('thead', {}, h('tr', {}, ...head)),
        h('tbody', {}, ...rows.map((row) => line(columns, row))),
    );
}

function line<T>(columns: Column<T>[], row: T): HTMLElement {
    return h(
        'tr',
        {},
        ...columns.map((one) =>
            h(
                'td',
                { 'data-title': one.title, class: one.isNumber ? 'number' : null },
                h('span', {}, one.cell(row)),
            ),
        ),
    );
}
