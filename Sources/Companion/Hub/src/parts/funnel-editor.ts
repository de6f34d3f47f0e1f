// Edits the steps of a funnel with native controls; nothing is asked before it is applied.

import { freshId, h } from '../core/dom';
import type { FunnelMark } from '../core/shapes';
import {
    type Kind, kindOf, KINDS, marked, nameOf, type Offers, type Step, STEPS_MAXIMUM,
} from './funnel-steps';

const ALTERNATIVES_MAXIMUM = 10;

export class StepEditor {
    readonly element: HTMLElement;
    private steps: Step[];
    private list = h('ol', { class: 'steps' });
    private more = h('button', { type: 'button', class: 'small' }, 'Add a step');
    private lists = new Map<Kind, string>();

    constructor(
        steps: Step[],
        private readonly offers: Offers,
        apply: (steps: Step[]) => void,
    ) {
        this.steps = steps.map((step) => step.map((mark) => ({ ...mark })));
        this.more.onclick = () => this.add();
        const form = h(
            'form',
            {},
            ...this.suggestions(),
            this.list,
            h(
                'p',
                { class: 'acts-below' },
                this.more,
                h('button', { type: 'submit', class: 'small' }, 'Show this funnel'),
            ),
            h('p', { class: 'quiet' }, 'In a page’s address * stands for anything.'),
        );
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            apply(this.steps);
        });
        this.element = form;
        this.redraw();
    }

    private suggestions(): HTMLElement[] {
        return KINDS.map(({ kind }) => {
            const id = freshId('offers');
            this.lists.set(kind, id);
            const options = this.offers[kind].map((value) => h('option', { value }));
            return h('datalist', { id }, ...options);
        });
    }

    private redraw(): void {
        this.list.replaceChildren(...this.steps.map((step, index) => this.row(step, index)));
        this.more.disabled = this.steps.length >= STEPS_MAXIMUM;
    }

    /** Another list, with the focus where the user goes on. */
    private change(steps: Step[], focus: number, selector: string): void {
        this.steps = steps;
        this.redraw();
        const row = this.list.children[Math.min(focus, steps.length - 1)];
        const wanted = row?.querySelector<HTMLElement>(selector);
        (wanted ?? row?.querySelector<HTMLElement>('button, input'))?.focus();
    }

    private add(): void {
        const steps = [...this.steps, [marked('page', '')]];
        this.change(steps, steps.length - 1, 'input');
    }

    private move(from: number, by: number): void {
        const steps = [...this.steps];
        const [step] = steps.splice(from, 1);
        steps.splice(from + by, 0, step!);
        this.change(steps, from + by, by < 0 ? '.up' : '.down');
    }

    private row(step: Step, index: number): HTMLElement {
        const name = `step ${index + 1}`;
        const button = (kind: string, sign: string, title: string, isOff: boolean, act: () => void) =>
            h('button', {
                type: 'button', class: `small ${kind}`, disabled: isOff, onclick: act,
                'aria-label': `${title} ${name}`, title,
            }, sign);
        const last = this.steps.length - 1;
        const without = this.steps.filter((_, place) => place !== index);
        return h(
            'li',
            {},
            h('div', { class: 'alternatives' }, ...step.map((mark, place) =>
                this.alternative(step, mark, place, `${name}${place ? ` or ${place + 1}` : ''}`))),
            h(
                'span',
                { class: 'acts' },
                button('or', 'or …', 'Another way to do', step.length >= ALTERNATIVES_MAXIMUM, () => {
                    step.push(marked('page', ''));
                    this.change(this.steps, index, '.alternatives > span:last-child input');
                }),
                button('up', '↑', 'Earlier:', index === 0, () => this.move(index, -1)),
                button('down', '↓', 'Later:', index === last, () => this.move(index, 1)),
                button('away', '×', 'Remove', last === 0, () =>
                    this.change(without, index, '.away')),
            ),
        );
    }

    private alternative(step: Step, mark: FunnelMark, place: number, name: string): HTMLElement {
        const kind = h('select', { 'aria-label': `Kind of ${name}` }, ...KINDS.map((one) =>
            h('option', { value: one.kind, selected: one.kind === kindOf(mark) }, one.title)));
        const input = h('input', {
            type: 'text', 'aria-label': `Name of ${name}`, required: true, maxlength: 512,
            list: this.lists.get(kindOf(mark)) ?? null,
        });
        input.value = nameOf(mark);
        const take = () => {
            const chosen = kind.value as Kind;
            const phase = chosen === 'form' && mark.phase ? { phase: mark.phase } : {};
            step[place] = { ...marked(chosen, input.value), ...phase };
            input.setAttribute('list', this.lists.get(kind.value as Kind) ?? '');
        };
        kind.onchange = take;
        input.oninput = take;
        const away = h('button', {
            type: 'button', class: 'small', 'aria-label': `Remove ${name}`,
            onclick: () => {
                step.splice(place, 1);
                this.change(this.steps, this.steps.indexOf(step), 'input');
            },
        }, '×');
        return h('span', {}, kind, input, place ? away : null);
    }
}
