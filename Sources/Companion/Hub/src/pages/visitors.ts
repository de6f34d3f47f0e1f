import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { ago, clockTime, decimal, share } from '../core/format';
import { goTo, readScope, type Scope } from '../core/scope';
import type { Visitor } from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { profile, scoreChip, visitorLink } from '../parts/figures';
import { saveButton } from '../parts/save-button';
import { table } from '../parts/table';
import { page as onePage } from './visitor';

const LIST = 100;
const BANDS = ['', 'hot', 'warm', 'cold'];

/** The visitors seen last. The companion gives the newest hundred; band narrows those. */
class VisitorsCard extends Card<{ visitors: Visitor[] }> {
    protected readonly heading = 'Seen last';
    protected override readonly everyMilliseconds = 20_000;
    private select = h('select', { 'aria-label': 'Band' });

    protected override tools(): Node[] {
        const title = (band: string) => (band ? `only ${band}` : 'all bands');
        this.select.replaceChildren(
            ...BANDS.map((band) => h('option', { value: band }, title(band))),
        );
        this.select.onchange = () => goTo({ own: { band: this.select.value } });
        const band = () => ({ band: this.select.value });
        return [this.select, saveButton('visitors', band)];
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<{ visitors: Visitor[] }>> {
        this.select.value = scope.own.get('band') ?? '';
        return get(`/visitors?site=${encodeURIComponent(scope.site)}&limit=${LIST}`, signal);
    }

    protected draw({ data, at }: Answer<{ visitors: Visitor[] }>, scope: Scope): Shown {
        const band = scope.own.get('band');
        if (!data.visitors.length) {
            const hint = 'Put the tag on a page, or open the demo shop.';
            return {
                blank: { kind: 'no-data', text: 'Nobody has been scored on this site yet.', hint },
            };
        }
        const rows = data.visitors.filter((one) => !band || one.band === band);
        if (!rows.length) {
            const text = `None of the last ${data.visitors.length} visitors is ${band}.`;
            return { blank: { kind: 'no-data', text }, asOf: at };
        }
        return { content: list(rows), asOf: rows[0]?.as_of ?? at };
    }
}

function list(rows: Visitor[]): HTMLElement {
    return table<Visitor>(
        'Visitors, the one seen last first',
        [
            { title: 'Score', cell: (one) => scoreChip(one.score, one.band) },
            { title: 'Visitor', cell: (one) => visitorLink(one.visitor) },
            { title: 'Profile', cell: (one) => profile(one.profile, one.confidence) },
            { title: 'Likelihood', isNumber: true, cell: (one) => share(one.likelihood) },
            { title: 'Largest cause', cell: cause },
            {
                title: 'Seen',
                isNumber: true,
                cell: (one) => h('span', { title: clockTime(one.seen) }, ago(one.seen)),
            },
        ],
        rows,
    );
}

function cause(one: Visitor): string {
    const term = one.terms.find((part) => part.contribution !== 0);
    if (!term) return '–';
    const sign = term.contribution < 0 ? '−' : '+';
    return `${term.label} ${sign}${decimal(Math.abs(term.contribution))}`;
}

customElements.define('hg-visitors', VisitorsCard);

export function page(): Node[] {
    return readScope().rest ? onePage() : [h('hg-visitors')];
}
