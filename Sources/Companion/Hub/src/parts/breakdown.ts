// Figures by what a visitor, a page or a conversion is: one question, one table, one file.

import { type Answer, ask } from '../core/api';
import { h } from '../core/dom';
import { minorDigits, moved, words } from '../core/format';
import { saveFigures } from '../core/save';
import { choose, readScope, type Scope } from '../core/scope';
import type { QueryAnswer, QueryColumn } from '../core/shapes';
import { Card, type Shown } from './card';
import { barred } from './figures';
import { asOf, written } from './query';
import { saveButton } from './save-button';
import { type Column, table } from './table';

export interface Choice {
    dimension: string;
    title: string;
    /** Whether groups are codes, such as organic_search, and not what somebody wrote. */
    isCoded?: boolean;
}

export interface Breakdown {
    /** Of the element's attribute `of`, and of the choice in the address. */
    name: string;
    heading: string;
    about: string;
    choices: readonly Choice[];
    /** The first is what rows are ordered by. */
    metrics: readonly { name: string; title: string }[];
    filter?: Record<string, unknown>;
    /** Models of attribution, where credit is shared out; the first holds while none is chosen. */
    models?: readonly string[];
    /** The kind of rows that it is of, where they can be had as a file. */
    rows?: string;
    /** What would fill it. */
    hint: string;
}

const ROWS = 50;
const UNNAMED = 'not set';
const MODEL = 'model';
const CURRENCY = 'conversion.currency';

type Row = QueryAnswer['rows'][number];

export abstract class BreakdownCard extends Card<QueryAnswer> {
    protected abstract readonly breakdowns: readonly Breakdown[];
    protected override readonly everyMilliseconds = 60_000;
    private select = h('select', { 'aria-label': 'By' });
    private model = h('select');
    private save = h('button', { type: 'button', class: 'small' }, 'CSV');
    /** The question whose answer is shown. */
    private asked: Record<string, unknown> = {};

    private get plan(): Breakdown {
        const name = this.getAttribute('of');
        return this.breakdowns.find((one) => one.name === name) ?? this.breakdowns[0]!;
    }

    protected get heading(): string {
        return this.plan.heading;
    }

    private choice(scope: Scope): Choice {
        const wanted = scope.own.get(this.plan.name);
        return this.plan.choices.find((one) => one.dimension === wanted) ?? this.plan.choices[0]!;
    }

    protected override tools(): Node[] {
        const { name, choices, heading } = this.plan;
        this.select.replaceChildren(
            ...choices.map((one) => h('option', { value: one.dimension }, `by ${one.title}`)),
        );
        this.select.setAttribute('aria-label', `${heading} by`);
        this.select.onchange = () => choose({ [name]: this.select.value });
        this.save.setAttribute('aria-label', `Save ${heading} as CSV`);
        this.save.onclick = () => this.saveShown();
        this.save.hidden = true;
        const models = this.modelSelect();
        const rows = this.plan.rows ? [saveButton(this.plan.rows, () => ({}))] : [];
        return [...models, ...(choices.length > 1 ? [this.select] : []), this.save, ...rows];
    }

    private modelSelect(): Node[] {
        const { models, heading } = this.plan;
        if (!models) return [];
        const options = models.map((one) => h('option', { value: one }, words(one)));
        this.model.replaceChildren(...options);
        this.model.setAttribute('aria-label', `${heading}: model`);
        this.model.onchange = () => choose({ [MODEL]: this.model.value });
        return [this.model];
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<QueryAnswer>> {
        const { dimension } = this.choice(scope);
        this.select.value = dimension;
        const metrics = this.plan.metrics.map((one) => one.name);
        const body: Record<string, unknown> = {
            site: scope.site,
            metrics,
            dimensions: [dimension],
            range: scope.range.query,
            order: [{ by: metrics[0], dir: 'desc' }],
            limit: ROWS,
        };
        if (this.plan.models) {
            const wanted = scope.own.get(MODEL);
            const model = this.plan.models.find((one) => one === wanted) ?? this.plan.models[0]!;
            this.model.value = model;
            body['attribution'] = { model };
        }
        if (this.plan.filter) body['filter'] = this.plan.filter;
        if (scope.compares) body['compare'] = { to: 'previous', align: 'elapsed' };
        this.asked = body;
        return ask<QueryAnswer>('/query', body, signal);
    }

    protected draw({ data }: Answer<QueryAnswer>, scope: Scope): Shown {
        const rows = data.rows.filter((row) => row.m.some((one) => one !== null && one !== 0));
        this.save.hidden = rows.length === 0;
        if (!rows.length) {
            const text = `Nothing was counted in “${scope.range.title.toLowerCase()}”.`;
            return { blank: { kind: 'no-data', text, hint: this.plan.hint }, asOf: asOf(data) };
        }
        const note = (data.meta.warnings ?? []).map((one) => `${one}. `).join('');
        const content = h(
            'div',
            {},
            table<Row>(this.heading, this.columns(data, scope), rows),
            h('p', { class: 'quiet' }, note, this.plan.about),
        );
        return { content, asOf: asOf(data) };
    }

    private columns(data: QueryAnswer, scope: Scope): Column<Row>[] {
        const all = data.totals.m[0] ?? 0;
        const first: Column<Row> = {
            title: this.plan.metrics[0]!.title,
            isNumber: true,
            cell: (row) => barred((row.m[0] ?? 0) / (all || 1), this.text(data, row, 0)),
        };
        const others = this.plan.metrics.slice(1).map(({ title }, index): Column<Row> => ({
            title,
            isNumber: true,
            cell: (row) => this.text(data, row, index + 1),
        }));
        const change: Column<Row> = { title: 'Change', isNumber: true, cell: changed };
        const choice = this.choice(scope);
        const name = { title: choice.title, cell: (row: Row) => group(row, choice) };
        return [name, first, ...(scope.compares ? [change] : []), ...others];
    }

    private text(data: QueryAnswer, row: Row, index: number): string {
        return written(row.m[index] ?? null, this.column(data, row, index));
    }

    /** Where money is of several currencies, a row that is of one says of which. */
    private column(data: QueryAnswer, row: Row, index: number): QueryColumn | undefined {
        const { name } = this.plan.metrics[index]!;
        const column = data.columns.find((one) => one.name === name);
        if (column?.type !== 'money' || column.currency) return column;
        const currency = data.columns[0]?.name === CURRENCY ? row.d[0] : null;
        return currency ? { ...column, currency, minor_digits: minorDigits(currency) } : column;
    }

    private saveShown(): void {
        const { site, range } = readScope();
        const { limit: _, ...whole } = this.asked;
        void saveFigures(`${site}-${this.plan.name}-${range.key}`, whole);
    }
}

function group(row: Row, choice: Choice): Node | string {
    const name = row.d[0];
    if (name === null || name === undefined || name === '') {
        return h('span', { class: 'quiet' }, UNNAMED);
    }
    return choice.isCoded ? words(name) : name;
}

/** How the first figure moved against the time before. */
function changed(row: Row): Node | string {
    const now = row.m[0] ?? null;
    const before = row.c?.[0] ?? null;
    if (!before) return h('span', { class: 'quiet' }, now ? 'new' : '–');
    if (now === null) return '–';
    const part = (now - before) / before;
    const arrow = part > 0 ? '▲ ' : part < 0 ? '▼ ' : '= ';
    return `${arrow}${moved(part)}`;
}
