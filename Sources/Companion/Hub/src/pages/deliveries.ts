import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { ago, count, duration, fullTime, share, words } from '../core/format';
import { goTo, type Scope } from '../core/scope';
import type { Delivery, DestinationHealth, Page } from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { shareBar } from '../parts/charts';
import { facts, stateChip } from '../parts/figures';
import { Pages } from '../parts/pages';
import { saveButton } from '../parts/save-button';
import { table } from '../parts/table';

const STATES = [
    '',
    'pending',
    'sending',
    'delivered',
    'in_doubt',
    'retry',
    'dead',
    'expired',
    'held',
    'cancelled',
];

class HealthCard extends Card<{ destinations: DestinationHealth[] }> {
    protected readonly heading = 'Destinations';
    protected override readonly everyMilliseconds = 15_000;

    protected load(
        scope: Scope,
        signal: AbortSignal,
    ): Promise<Answer<{ destinations: DestinationHealth[] }>> {
        return get(`/sites/${encodeURIComponent(scope.site)}/deliveries/health`, signal);
    }

    protected draw({ data, at }: Answer<{ destinations: DestinationHealth[] }>): Shown {
        if (!data.destinations.length) {
            const hint = 'Name one under `destinations:` of the site, then test it.';
            return {
                blank: {
                    kind: 'not-connected',
                    text: 'No destination was told of a conversion yet.',
                    hint,
                },
                asOf: at,
            };
        }
        return {
            content: h('div', { class: 'destinations' }, ...data.destinations.map(destination)),
            asOf: at,
        };
    }
}

function destination(one: DestinationHealth): HTMLElement {
    const settled = one.accepted + one.refused;
    const taken = settled ? one.accepted / settled : 0;
    const keys = Object.entries(one.match_keys).sort((a, b) => b[1] - a[1]).map(
        ([key, value]) => `${key} ${share(value)}`,
    );
    const twin = one.pairing;
    const said = [one.code, one.reason].filter(Boolean).join(' · ');
    const waiting = ['pending', 'retry', 'sending'];
    const waits = waiting.reduce((sum, state) => sum + (one.states[state] ?? 0), 0);
    return h(
        'article',
        { class: 'destination' },
        h(
            'header',
            {},
            h('h3', { class: 'title' }, one.destination),
            stateChip(one.token_refused ? 'credentials refused' : one.state),
        ),
        said ? h('p', { class: 'quiet' }, said) : null,
        h('p', { class: 'with-bar' }, shareBar(taken, 'good'),
            settled
                ? `${share(taken)} of ${count(settled)} settled were taken`
                : 'nothing settled yet'),
        facts([
            ['Taken', count(one.accepted)],
            ['Refused', count(one.refused)],
            ['In doubt', count(one.in_doubt)],
            ['Waiting', count(waits)],
            [
                'Oldest waiting',
                one.oldest_pending_seconds === undefined ? null : duration(
                    one.oldest_pending_seconds * 1_000,
                ),
            ],
            ['Late by 2 h or more', count(one.late)],
            ['Attempts in all', count(one.sent)],
            ['Known by', keys.join(', ') || null],
            [
                'Also told by the pixel',
                twin?.delivered ? `${share(twin.rate ?? 0)} of ${count(twin.delivered)}` : null,
            ],
            ['Since', one.since ? fullTime(Date.parse(one.since)) : null],
        ]),
    );
}

class DeliveriesCard extends Card<Page<Delivery>> {
    protected readonly heading = 'Conversions on their way';
    protected override readonly everyMilliseconds = 30_000;
    private select = h('select', { 'aria-label': 'State' });
    private pages = new Pages<Delivery>((cursor, signal) => this.ask(cursor, signal), list);
    private scope: Scope | null = null;

    protected override tools(): Node[] {
        this.select.replaceChildren(
            ...STATES.map((one) => h('option', { value: one }, one ? words(one) : 'All states')),
        );
        this.select.onchange = () => goTo({ own: { ...this.own(), state: this.select.value } });
        const state = () => ({ state: this.select.value });
        return [this.select, saveButton('deliveries', state)];
    }

    private own(): Record<string, string> {
        return this.scope ? Object.fromEntries(this.scope.own) : {};
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Page<Delivery>>> {
        this.scope = scope;
        this.select.value = scope.own.get('state') ?? '';
        return this.ask(null, signal);
    }

    private ask(cursor: string | null, signal: AbortSignal): Promise<Answer<Page<Delivery>>> {
        const query = new URLSearchParams({ limit: '50' });
        for (const name of ['state', 'destination']) {
            const value = this.scope?.own.get(name);
            if (value) query.set(name, value);
        }
        if (cursor) query.set('cursor', cursor);
        return get(
            `/sites/${encodeURIComponent(this.scope?.site ?? '')}/deliveries?${query}`,
            signal,
        );
    }

    protected draw({ data, at }: Answer<Page<Delivery>>, scope: Scope): Shown {
        if (!data.items.length) {
            const isNarrowed = scope.own.has('state') || scope.own.has('destination');
            const text = isNarrowed
                ? 'No delivery fits the filter.'
                : 'No conversion was put on its way yet.';
            return { blank: { kind: 'no-data', text }, asOf: at };
        }
        return {
            content: h('div', {}, this.filter(scope), this.pages.begin(data, this.life.signal)),
            asOf: at,
        };
    }

    private filter(scope: Scope): HTMLElement | null {
        const name = scope.own.get('destination');
        if (!name) return null;
        const drop = () => goTo({ own: { state: scope.own.get('state') ?? '' } });
        return h(
            'p',
            {},
            h(
                'button',
                { class: 'filter small', type: 'button', onclick: drop },
                `destination: ${name} ✕`,
            ),
        );
    }
}

function list(rows: Delivery[]): HTMLElement {
    return table<Delivery>(
        'Deliveries, the newest first',
        [
            { title: 'State', cell: (one) => stateChip(one.state) },
            {
                title: 'Conversion',
                cell: (one) => h(
                    'span',
                    {},
                    one.name ?? 'Unknown',
                    h('small', { class: 'quiet' }, one.conversion),
                ),
            },
            { title: 'Destination', cell: (one) => one.destination },
            {
                title: 'Reason',
                cell: (one) => [
                    one.code,
                    one.reason && words(one.reason),
                    one.remark,
                ].filter(Boolean).join(' · ') || '–',
            },
            { title: 'Attempts', isNumber: true, cell: (one) => count(one.attempts) },
            {
                title: 'Happened',
                isNumber: true,
                cell: (one) => h(
                    'span',
                    { title: fullTime(Date.parse(one.occurred_at)) },
                    ago(Date.parse(one.occurred_at)),
                ),
            },
            {
                title: 'Took',
                isNumber: true,
                cell: (one) =>
                    one.settled_at
                        ? duration(Date.parse(one.settled_at) - Date.parse(one.occurred_at))
                        : '–',
            },
        ],
        rows,
    );
}

customElements.define('hg-destinations', HealthCard);
customElements.define('hg-deliveries', DeliveriesCard);

export function page(): Node[] {
    return [h('hg-destinations'), h('hg-deliveries')];
}
