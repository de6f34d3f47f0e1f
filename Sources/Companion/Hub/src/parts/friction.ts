// Where people click in vain: page by element.

import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { count } from '../core/format';
import type { Scope } from '../core/scope';
import type { VainClicks, Worth } from '../core/shapes';
import { Card, type Shown } from './card';
import { barred } from './figures';
import { asOf, spanOf } from './query';
import { table } from './table';

type Friction = { items: VainClicks[]; meta: Worth };

const ROWS = 25;

class FrictionCard extends Card<Friction> {
    protected readonly heading = 'Clicked in vain';

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Friction>> {
        const site = encodeURIComponent(scope.site);
        return get(`/sites/${site}/friction?${spanOf(scope)}`, signal);
    }

    protected draw({ data }: Answer<Friction>, scope: Scope): Shown {
        if (!data.items.length) {
            const text = `No click was in vain in “${scope.range.title.toLowerCase()}”.`;
            const hint = 'Clicks of visitors who agree to profiling are looked at.';
            return { blank: { kind: 'no-data', text, hint }, asOf: asOf(data) };
        }
        const content = h(
            'div',
            {},
            vainClicks(data.items.slice(0, ROWS), true),
            h(
                'p',
                { class: 'quiet' },
                'Rage: three quick clicks at one place. Dead: nothing happened after it. Error: a '
                + 'script failed right after it.',
            ),
        );
        return { content, asOf: asOf(data) };
    }
}

export function vainClicks(items: VainClicks[], hasPages: boolean): HTMLElement {
    const all = (one: VainClicks) => one.rage + one.dead + one.error;
    const most = Math.max(...items.map(all));
    return table<VainClicks>(
        'Clicks in vain by element',
        [
            {
                title: 'Element',
                cell: (one) => h(
                    'span',
                    {},
                    one.element || 'without a name',
                    h('small', { class: 'quiet' }, hasPages ? `${one.tag} · ${one.page}` : one.tag),
                ),
            },
            {
                title: 'All',
                isNumber: true,
                cell: (one) => barred(all(one) / most, count(all(one)), 'lowers'),
            },
            { title: 'Rage', isNumber: true, cell: (one) => count(one.rage) },
            { title: 'Dead', isNumber: true, cell: (one) => count(one.dead) },
            { title: 'Error', isNumber: true, cell: (one) => count(one.error) },
            { title: 'Visitors', isNumber: true, cell: (one) => count(one.visitors) },
        ],
        items,
    );
}

customElements.define('hg-friction', FrictionCard);
