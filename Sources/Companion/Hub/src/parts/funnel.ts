// How far visitors get, step by step; the steps stand in the address and are edited below the bars.

import { type Answer, ask } from '../core/api';
import { h } from '../core/dom';
import { count, DASH, duration, share } from '../core/format';
import { choose, type Scope } from '../core/scope';
import type { FunnelAnswer } from '../core/shapes';
import { Card, type Shown } from './card';
import { shareBar } from './charts';
import { StepEditor } from './funnel-editor';
import { type Offers, offers, ORDERS, readSteps, titleOf, usualSteps, WINDOWS } from './funnel-steps';
import { asOf } from './query';
import { table } from './table';

const WINDOW_DEFAULT = '7d';

type Funnel = { answer: FunnelAnswer | null; offers: Offers };
type Row = FunnelAnswer['steps'][number];

class FunnelCard extends Card<Funnel> {
    protected readonly heading = 'Funnel';
    private order = h('select', { 'aria-label': 'Funnel: what may lie between steps' });
    private window = h('select', { 'aria-label': 'Funnel: time from the first step to the last' });
    private isOpen = false;

    protected override tools(): Node[] {
        this.order.replaceChildren(
            ...ORDERS.map((one) => h('option', { value: one.name }, one.title)),
        );
        this.window.replaceChildren(
            ...WINDOWS.map((one) => h('option', { value: one }, `within ${one}`)),
        );
        this.order.onchange = () => choose({ order: this.order.value });
        this.window.onchange = () => choose({ window: this.window.value });
        return [this.order, this.window];
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected async load(scope: Scope, signal: AbortSignal): Promise<Answer<Funnel>> {
        const order = ORDERS.find((one) => one.name === scope.own.get('order')) ?? ORDERS[0]!;
        const wanted = scope.own.get('window');
        const window = WINDOWS.find((one) => one === wanted) ?? WINDOW_DEFAULT;
        this.order.value = order.name;
        this.window.value = window;
        const known = await offers(scope, signal);
        const steps = readSteps(scope.own.get('steps')) ?? usualSteps(known);
        if (steps.length < 2 && !scope.own.get('steps')) {
            return { data: { answer: null, offers: known }, at: Date.now(), isKept: false };
        }
        const { site, range } = scope;
        const body = { site, steps, order: order.name, window, range: range.query };
        const found = await ask<FunnelAnswer>('/funnel', body, signal);
        return { ...found, data: { answer: found.data, offers: known } };
    }

    protected draw({ data }: Answer<Funnel>, scope: Scope): Shown {
        const { answer } = data;
        if (!answer?.steps.length) {
            const text = `Nothing happened in “${scope.range.title.toLowerCase()}”.`;
            const hint = 'Put the tag on a page, or open the demo shop.';
            return { blank: { kind: 'no-data', text, hint } };
        }
        const content = h(
            'div',
            {},
            h('ol', { class: 'funnel' }, ...answer.steps.map(bar)),
            h(
                'p',
                { class: 'quiet' },
                'Visitors who did the first step in the period, and how far any chain of steps '
                + 'led them within the time. Medians are of the first time that they got there.',
            ),
            numbers(answer.steps),
            this.editor(answer, data.offers),
        );
        return { content, asOf: asOf(answer) };
    }

    private editor({ steps }: FunnelAnswer, known: Offers): HTMLElement {
        const editor = new StepEditor(
            steps.map((one) => one.of),
            known,
            (wanted) => choose({ steps: JSON.stringify(wanted) }),
        );
        const place = h('details', { open: this.isOpen }, h('summary', {}, 'Edit the steps'));
        place.addEventListener('toggle', () => {
            this.isOpen = place.open;
        });
        place.append(editor.element);
        return place;
    }
}

function bar(row: Row, index: number): HTMLElement {
    const parts = [
        row.step_rate === null ? null : `${share(row.step_rate)} of the step before`,
        row.overall_rate === null || !index ? null : `${share(row.overall_rate)} of all`,
        row.median_ms === null ? null : `median ${duration(row.median_ms)}`,
    ].filter(Boolean);
    return h(
        'li',
        {},
        h('span', { class: 'step' }, titleOf(row.of)),
        shareBar(row.overall_rate ?? 0),
        h('b', {}, count(row.visitors)),
        h('span', { class: 'quiet' }, parts.join(' · ') || 'visitors'),
    );
}

function numbers(rows: Row[]): HTMLElement {
    const part = (value: number | null) => (value === null ? DASH : share(value));
    const time = (value: number | null) => (value === null ? DASH : duration(value));
    return h(
        'details',
        {},
        h('summary', {}, 'Numbers'),
        table<Row>(
            'Funnel',
            [
                { title: 'Step', cell: (one) => titleOf(one.of) },
                { title: 'Visitors', isNumber: true, cell: (one) => count(one.visitors) },
                { title: 'Of the step before', isNumber: true, cell: (one) => part(one.step_rate) },
                { title: 'Of all', isNumber: true, cell: (one) => part(one.overall_rate) },
                { title: 'Median time', isNumber: true, cell: (one) => time(one.median_ms) },
                { title: 'From the first', isNumber: true, cell: (one) => time(one.median_total_ms) },
            ],
            rows,
        ),
    );
}

customElements.define('hg-funnel', FunnelCard);
