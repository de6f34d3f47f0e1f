import type { Answer } from '../core/api';
import { h } from '../core/dom';
import { moved } from '../core/format';
import type { Scope } from '../core/scope';
import type { Goal, QueryAnswer } from '../core/shapes';
import { Card, type Shown } from './card';
import { spark } from './charts';
import { fitting, goalLine, goalsOf } from './goals';
import { ALL_FIGURES, asOf, course, type Figure, written } from './query';

/** One figure: value, change, course. `metric` names it. */
export class KpiCard extends Card<{ answer: QueryAnswer; goal: Goal | null }> {
    protected override readonly level = 'h3';
    protected override readonly everyMilliseconds = 30_000;

    private get figure(): Figure {
        const name = this.getAttribute('metric');
        return ALL_FIGURES.find((one) => one.metric === name) ?? ALL_FIGURES[0]!;
    }

    protected get heading(): string {
        return this.figure.title;
    }

    override connectedCallback(): void {
        this.classList.add('kpi');
        this.title = this.figure.about;
        super.connectedCallback();
    }

    protected async load(
        scope: Scope,
        signal: AbortSignal,
    ): Promise<Answer<{ answer: QueryAnswer; goal: Goal | null }>> {
        const { metric } = this.figure;
        const [found, goals] = await Promise.all([
            course(metric, scope, signal),
            // A figure is right without its goal; Settings says what is wrong with goals.
            goalsOf(scope.site).catch(() => []),
        ]);
        return { ...found, data: { answer: found.data, goal: fitting(goals, metric, scope) } };
    }

    protected draw(
        { data: { answer: data, goal } }: Answer<{ answer: QueryAnswer; goal: Goal | null }>,
        scope: Scope,
    ): Shown {
        const column = data.columns.find((one) => one.name === this.figure.metric);
        const value = data.totals.m[0] ?? null;
        const text = written(value, column);
        const isRough = this.figure.metric in (data.meta.approximate ?? {});
        const series = data.rows.map((row) => row.m[0] ?? null);
        const content = h(
            'div',
            { class: 'kpi-body' },
            h('p', { class: 'value' }, isRough ? `≈ ${text}` : text),
            value === null
                ? h(
                    'p',
                    { class: 'change quiet' },
                    this.figure.of ? `0 ${this.figure.of}` : 'not known',
                )
                : change(data, this.figure, scope.compares),
            series.length > 1 ? spark(series) : null,
            goal ? goalLine(goal, this.figure.better) : null,
        );
        return { content, asOf: asOf(data) };
    }
}

function change(data: QueryAnswer, { better }: Figure, compares: boolean): HTMLElement {
    if (!compares) return h('p', { class: 'change quiet' }, 'not compared');
    const value = data.totals.change?.[0] ?? null;
    if (value === null) return h('p', { class: 'change quiet' }, 'nothing before');
    const isNoise = data.totals.noise?.[0] ?? false;
    const isGood = better === 'neither' || value === 0 || value > 0 === (better === 'more');
    const kind = isNoise || value === 0 ? 'quiet' : isGood ? 'good' : 'bad';
    const arrow = value > 0 ? '▲' : value < 0 ? '▼' : '=';
    const words = value > 0 ? 'up' : value < 0 ? 'down' : 'unchanged';
    return h(
        'p',
        { class: `change ${kind}` },
        h('span', { 'aria-hidden': 'true' }, arrow),
        h('span', { class: 'unseen' }, words),
        ` ${moved(value)}`,
        isNoise ? h('span', { class: 'quiet' }, ' within chance') : null,
    );
}

customElements.define('hg-kpi', KpiCard);
