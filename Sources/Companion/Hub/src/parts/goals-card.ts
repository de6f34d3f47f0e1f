// Goals of the site: how they stand, and a form that sets them.

import { type Answer, get, Problem, send } from '../core/api';
import { h } from '../core/dom';
import { minorDigits } from '../core/format';
import { tell } from '../core/hub';
import { currencyOf, readScope, type Scope } from '../core/scope';
import type { Goal } from '../core/shapes';
import { Card, type Shown } from './card';
import { columnOf, forgetGoals, paceOf } from './goals';
import { ALL_FIGURES, written } from './query';
import { table } from './table';

interface Metric {
    name: string;
    title: string;
    unit: string;
}

type Known = { goals: Goal[]; metrics: Metric[] };

const PERIODS = ['day', 'week', 'month', 'quarter', 'year'];

class GoalsCard extends Card<Known> {
    protected readonly heading = 'Goals';

    protected async load(scope: Scope, signal: AbortSignal): Promise<Answer<Known>> {
        const [found, schema] = await Promise.all([
            get<{ goals: Goal[] }>(`/goals?site=${encodeURIComponent(scope.site)}`, signal),
            get<{ metrics: Metric[] }>('/schema', signal),
        ]);
        return { ...found, data: { goals: found.data.goals, metrics: schema.data.metrics } };
    }

    protected draw({ data, at }: Answer<Known>, scope: Scope): Shown {
        const list = data.goals.length
            ? table<Goal>(`Goals of ${scope.site}`, [
                { title: 'Figure', cell: (one) => one.title },
                { title: 'Each', cell: (one) => one.period },
                { title: 'Goal', isNumber: true, cell: (one) => amount(one, one.target) },
                { title: 'Now', isNumber: true, cell: (one) => amount(one, one.value) },
                { title: 'Expected', isNumber: true, cell: (one) => amount(one, one.expected) },
                { title: 'Pace', cell: (one) => paceOf(one, better(one.metric)) },
                { title: 'Set by', cell: (one) => one.updated_by },
                { title: 'Change', isNumber: true, cell: (one) => this.removal(one) },
            ], data.goals)
            : h('p', {}, 'None yet. A goal stands on the card of its figure, with its pace.');
        const about = 'A sum is expected to grow evenly through the period; a mean or a rate is to be '
            + 'at its goal throughout.';
        const content = h('div', {}, list, h('p', { class: 'quiet' }, about), this.form(data));
        return { content, asOf: at };
    }

    private removal(goal: Goal): HTMLElement {
        const title = `Remove the goal of ${goal.title} each ${goal.period}`;
        return h('button', {
            type: 'button', class: 'small', 'aria-label': title,
            onclick: () => void this.send('DELETE', goal.metric, goal.period, null),
        }, 'Remove');
    }

    private form({ metrics }: Known): HTMLElement {
        const option = (value: string, title: string) => h('option', { value }, title);
        const metric = h('select', { 'aria-label': 'Figure' },
            ...metrics.map((one) => option(one.name, one.title)));
        const period = h('select', { 'aria-label': 'Period' },
            ...PERIODS.map((one) => option(one, `each ${one}`)));
        const target = h('input', {
            type: 'text', inputmode: 'decimal', required: true, autocomplete: 'off',
        });
        const unit = h('span', { class: 'quiet' });
        const said = h('span', { class: 'bad', role: 'alert' });
        const chosen = () => metrics.find((one) => one.name === metric.value) ?? metrics[0]!;
        const name = () => {
            unit.textContent = unitOf(chosen());
        };
        metric.onchange = name;
        period.value = 'month';
        name();
        const form = h('form', { class: 'ask goals' }, metric, period,
            h('label', {}, 'Goal', target), unit,
            h('button', { type: 'submit', class: 'small' }, 'Set the goal'), said);
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            const number = Number(target.value.replace(',', '.'));
            if (!(number > 0)) {
                said.textContent = 'Write a number above 0, such as 1200 or 2.5.';
                target.focus();
                return;
            }
            const body = { target: number * scaleOf(chosen()) };
            void this.send('PUT', metric.value, period.value, body, said);
        });
        return form;
    }

    private async send(
        method: 'PUT' | 'DELETE',
        metric: string,
        period: string,
        body: unknown,
        said?: HTMLElement,
    ): Promise<void> {
        const path = `/goals/${metric}/${period}?site=${encodeURIComponent(readScope().site)}`;
        try {
            await send(method, path, body, this.life.signal);
        } catch (error) {
            const text = error instanceof Problem ? error.detail || error.title : String(error);
            if (said) said.textContent = text;
            tell('say', text);
            return;
        }
        forgetGoals();
        tell('say', body === null ? 'The goal is removed.' : 'The goal is set.');
        await this.refresh();
        this.querySelector<HTMLElement>('form select')?.focus();
    }
}

const amount = (goal: Goal, value: number | null): string => written(value, columnOf(goal));

const better = (metric: string) =>
    ALL_FIGURES.find((one) => one.metric === metric)?.better ?? 'more';

/** What people write a goal in, and how much of the API's unit that is. */
function scaleOf({ unit }: Metric): number {
    if (unit === 'ratio') return 0.01;
    if (unit === 'milliseconds') return 1_000;
    return unit === 'money' ? 10 ** minorDigits(currencyOf(readScope().site) ?? '') : 1;
}

function unitOf({ unit }: Metric): string {
    if (unit === 'ratio') return '%';
    if (unit === 'milliseconds') return 'seconds';
    return unit === 'money' ? currencyOf(readScope().site) ?? '' : '';
}

customElements.define('hg-goals', GoalsCard);
