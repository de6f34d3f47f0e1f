import { type Answer, get } from '../core/api';
import { freshId, h } from '../core/dom';
import { ago, count, fullTime, words } from '../core/format';
import { goTo, readScope, type Scope } from '../core/scope';
import type { Page, Rejected, Trace } from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { barred, facts, stateChip } from '../parts/figures';
import { Pages } from '../parts/pages';
import { saveButton } from '../parts/save-button';
import { table } from '../parts/table';

const NEWEST = 200;

class TraceCard extends Card<Trace | null> {
    protected readonly heading = 'Where is my event?';

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Trace | null>> {
        const id = scope.own.get('event');
        if (!id) return Promise.resolve({ data: null, at: Date.now(), isKept: false });
        return get(
            `/events/${encodeURIComponent(id)}/trace?site=${encodeURIComponent(scope.site)}`,
            signal,
        );
    }

    protected override started(): void {
        const id = freshId('trace');
        const input = h('input', {
            id, name: 'event', type: 'search', autocomplete: 'off', spellcheck: 'false',
            value: readScope().own.get('event') ?? '',
            placeholder: '<window>-<number> or a message id',
        });
        const submit = (event: Event) => {
            event.preventDefault();
            goTo({ page: 'quality', own: { event: input.value.trim() } });
        };
        const form = h('form', { class: 'ask', onsubmit: submit },
            h('label', { for: id }, 'Event id'), input, h('button', { type: 'submit' }, 'Trace'));
        this.querySelector('header')?.after(form);
    }

    protected draw({ data, at }: Answer<Trace | null>): Shown {
        if (!data) {
            const text = 'Give an id to see how far the event has come, and what stopped it.';
            return { content: h('p', { class: 'quiet' }, text), asOf: at };
        }
        const stages = data.stages.map((one) =>
            h(
                'li',
                { class: one.state },
                h('b', {}, words(one.stage)),
                stateChip(one.state),
                one.at ? h('time', { datetime: one.at }, fullTime(Date.parse(one.at))) : null,
                one.position ? h('code', {}, one.position) : null,
                one.reason ? h('span', {}, one.reason) : null,
                one.fix ? h('span', { class: 'quiet' }, one.fix) : null,
            ),
        );
        const content = h('div', {},
            h('p', {}, h('code', {}, data.event), ` stands at `, h('b', {}, words(data.state))),
            h('ol', { class: 'stages' }, ...stages));
        return { content, asOf: at };
    }
}

/** What came under a key that nobody has belongs to no site: `of=all` shows that too. */
function questionOf(scope: Scope, limit: number): URLSearchParams {
    const query = new URLSearchParams({ limit: String(limit) });
    if (scope.own.get('of') !== 'all') query.set('site', scope.site);
    return query;
}

interface Reason {
    reason: string;
    count: number;
    last: number;
    formats: Set<string>;
}

/** What the newest refusals have in common; the list below has each. */
class ReasonsCard extends Card<Page<Rejected>> {
    protected readonly heading = 'Why events are refused';
    protected override readonly everyMilliseconds = 30_000;

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Page<Rejected>>> {
        return get(`/rejected?${questionOf(scope, NEWEST)}`, signal);
    }

    protected draw({ data, at }: Answer<Page<Rejected>>): Shown {
        if (!data.items.length) {
            return {
                content: h('p', { class: 'calm' }, 'Nothing that is still kept was refused.'),
                asOf: at,
            };
        }
        const reasons = grouped(data.items);
        const total = data.items.length;
        const note = data.next_cursor ? `the newest ${total}` : `all ${total} that are kept`;
        const content = h(
            'div',
            {},
            h('p', { class: 'quiet' }, `Of ${note}. A click shows those of one reason.`),
            table<Reason>('Reasons, the commonest first', [
                { title: 'Reason', cell: (one) => reasonButton(one.reason) },
                {
                    title: 'Count',
                    isNumber: true,
                    cell: (one) => barred(one.count / total, count(one.count), 'lowers'),
                },
                { title: 'Sent as', cell: (one) => [...one.formats].join(', ') },
                { title: 'Last', isNumber: true, cell: (one) => ago(one.last) },
            ], reasons));
        return { content, asOf: at };
    }
}

function grouped(items: Rejected[]): Reason[] {
    const found = new Map<string, Reason>();
    for (const one of items) {
        const at = Date.parse(one.received_at);
        const reason = found.get(one.reason) ?? {
            reason: one.reason,
            count: 0,
            last: at,
            formats: new Set<string>(),
        };
        reason.count += 1;
        reason.last = Math.max(reason.last, at);
        reason.formats.add(one.format);
        found.set(one.reason, reason);
    }
    return [...found.values()].sort((one, other) => other.count - one.count);
}

function reasonButton(reason: string): HTMLElement {
    const of = readScope().own.get('of') ?? '';
    const show = () => goTo({ page: 'quality', own: { reason, of } });
    return h(
        'button',
        { class: 'link', type: 'button', onclick: show, title: reason },
        words(reason),
    );
}

class RejectedCard extends Card<Page<Rejected>> {
    protected readonly heading = 'Refused events';
    private select = h('select', { 'aria-label': 'Whose' });

    protected override tools(): Node[] {
        this.select.replaceChildren(
            h('option', { value: '' }, 'of this site'),
            h('option', { value: 'all' }, 'of all, and unknown keys'),
        );
        this.select.onchange = () => goTo({ own: { of: this.select.value } });
        const reason = () => ({ reason: readScope().own.get('reason') ?? '' });
        return [this.select, saveButton('rejected', reason)];
    }

    private pages = new Pages<Rejected>(
        (cursor, signal) => this.ask(cursor, signal),
        (rows) => this.list(rows),
    );
    private scope: Scope | null = null;

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Page<Rejected>>> {
        this.scope = scope;
        this.select.value = scope.own.get('of') ?? '';
        return this.ask(null, signal);
    }

    private ask(cursor: string | null, signal: AbortSignal): Promise<Answer<Page<Rejected>>> {
        const query = questionOf(this.scope ?? readScope(), 50);
        const reason = this.scope?.own.get('reason');
        if (reason) query.set('reason', reason);
        if (cursor) query.set('cursor', cursor);
        return get(`/rejected?${query}`, signal);
    }

    protected draw({ data, at }: Answer<Page<Rejected>>, scope: Scope): Shown {
        const reason = scope.own.get('reason');
        const drop = () => goTo({ page: 'quality', own: { of: scope.own.get('of') ?? '' } });
        const filter = reason
            ? h(
                'p',
                {},
                h(
                    'button',
                    { class: 'filter small', type: 'button', onclick: drop },
                    `reason: ${reason} ✕`,
                ),
            )
            : null;
        if (!data.items.length) {
            const text = reason
                ? 'No refused event has this reason.'
                : 'Nothing that is still kept was refused.';
            return { content: h('div', {}, filter, h('p', { class: 'calm' }, text)), asOf: at };
        }
        return {
            content: h('div', {}, filter, this.pages.begin(data, this.life.signal)),
            asOf: at,
        };
    }

    private list(rows: Rejected[]): HTMLElement {
        return table<Rejected>('Refused events, the newest first', [
            {
                title: 'Received',
                cell: (one) => h(
                    'span',
                    { title: fullTime(Date.parse(one.received_at)) },
                    ago(Date.parse(one.received_at)),
                ),
            },
            {
                title: 'Reason',
                cell: (one) => h(
                    'span',
                    {},
                    words(one.reason),
                    h('small', { class: 'quiet' }, `at ${one.place}`),
                ),
            },
            {
                title: 'Sent as',
                cell: (one) => h('span', {}, one.format, h('small', { class: 'quiet' }, one.path)),
            },
            { title: 'Size', isNumber: true, cell: (one) => `${count(one.bytes)} B` },
            {
                title: 'Replay',
                cell: replay,
            },
            { title: 'Bytes', cell: (one) => this.opener(one) },
        ], rows);
    }

    private opener(one: Rejected): HTMLElement {
        const open = (event: Event) => void showBytes(one.id, event.currentTarget as HTMLElement);
        return h(
            'button',
            {
                class: 'small',
                type: 'button',
                onclick: open,
                'aria-label': `Show the bytes of ${one.id}`,
            },
            'Show',
        );
    }
}

/** What was sent, as text: it is somebody else's, and may be meant to do harm. */
async function showBytes(id: string, opener: HTMLElement): Promise<void> {
    const title = freshId('bytes');
    const body = h('div', { class: 'body' }, h('div', { class: 'skeleton' }));
    const close = h('button', { type: 'button', class: 'small' }, 'Close');
    const heading = h('h2', { id: title, class: 'title' }, `Refused event ${id}`);
    const box = h('dialog', { 'aria-labelledby': title }, h('header', {}, heading, close), body);
    const life = new AbortController();
    close.addEventListener('click', () => box.close());
    box.addEventListener('close', () => {
        life.abort();
        box.remove();
        opener.focus();
    });
    document.body.append(box);
    box.showModal();
    try {
        const { data } = await get<Rejected>(`/rejected/${encodeURIComponent(id)}`, life.signal);
        body.replaceChildren(bytesOf(data));
    } catch (error) {
        if (!life.signal.aborted) body.replaceChildren(
            h('p', {}, error instanceof Error ? error.message : 'No answer.'),
        );
    }
}

function bytesOf(one: Rejected): HTMLElement {
    const notes = [
        one.truncated && 'cut',
        one.masked && 'personal data masked',
        one.whole_batch && 'a whole batch',
    ];
    return h('div', {},
        facts([
            ['Reason', words(one.reason)],
            ['Place', one.place],
            ['Site', one.site],
            ['Key', one.key],
            ['Event', one.event],
            ['From', one.address],
            ['Kept as', notes.filter(Boolean).join(', ') || 'as it came'],
        ]),
        one.body === undefined || one.withheld
            ? h(
                'p',
                { class: 'quiet' },
                'The bytes are withheld: they could not be read, nor searched for personal data.',
            )
            : h('pre', { tabindex: '0' }, one.body));
}

function replay(one: Rejected): string {
    if (one.replayed_at) return `done: ${one.outcome ?? ''}`;
    return one.replayable ? 'possible' : 'no';
}

customElements.define('hg-trace', TraceCard);
customElements.define('hg-reasons', ReasonsCard);
customElements.define('hg-rejected', RejectedCard);

export function page(): Node[] {
    return [h('hg-trace'), h('hg-reasons'), h('hg-rejected')];
}
