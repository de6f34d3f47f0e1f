import type { Answer } from '../core/api';
import { h } from '../core/dom';
import { day, minuteTime } from '../core/format';
import { choose, type Scope } from '../core/scope';
import type { QueryAnswer } from '../core/shapes';
import { Card, type Shown } from './card';
import { lineChart } from './charts';
import { ALL_FIGURES, asOf, course, written } from './query';

/** One figure's course over the range; which one stands in the address. */
export class TrendCard extends Card<QueryAnswer> {
    protected readonly heading = 'Trend';
    private select = h('select', { 'aria-label': 'Figure' });

    protected override tools(): Node[] {
        this.select.replaceChildren(
            ...ALL_FIGURES.map((one) => h('option', { value: one.metric }, one.title)),
        );
        this.select.onchange = () => choose({ figure: this.select.value });
        return [this.select];
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<QueryAnswer>> {
        const first = this.getAttribute('figure') ?? ALL_FIGURES[0]!.metric;
        const metric = scope.own.get('figure') ?? first;
        this.select.value = metric;
        return course(metric, scope, signal);
    }

    protected draw({ data }: Answer<QueryAnswer>, scope: Scope): Shown {
        const column = data.columns[data.columns.length - 1];
        const known = ALL_FIGURES.find((one) => one.metric === column?.name);
        if (!data.rows.length) {
            const text = `Nothing was counted in “${scope.range.title.toLowerCase()}”.`;
            return { blank: { kind: 'no-data', text }, asOf: asOf(data) };
        }
        const content = lineChart({
            title: `${known?.title ?? 'Figure'}, ${scope.range.title.toLowerCase()}`,
            points: data.rows.map((row) => ({
                at: Date.parse(row.t ?? ''),
                value: row.m[0] ?? null,
                ...(scope.compares ? { before: row.c?.[0] ?? null } : {}),
            })),
            value: (value) => written(value, column),
            moment: scope.range.grain === 'hour' ? minuteTime : day,
            beforeTitle: 'before',
        });
        return { content, asOf: asOf(data) };
    }
}

customElements.define('hg-trend', TrendCard);
