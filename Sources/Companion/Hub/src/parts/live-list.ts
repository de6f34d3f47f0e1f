import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { ago, decimal } from '../core/format';
import { on } from '../core/hub';
import type { Scope } from '../core/scope';
import type { ScoreMessage, Visitor } from '../core/shapes';
import { Card, type Shown } from './card';
import { profile, scoreChip, visitorLink } from './figures';

interface Row extends ScoreMessage {
    /** The score when the row was first shown. */
    first: number;
    seen: number;
}

const DRAW_MILLISECONDS = 1_000;
const HERE_MILLISECONDS = 300_000;
const KEPT_MAXIMUM = 200;

/**
 * Who is here, highest score first. Scores move in place; the order changes at most once a second,
 * and not while somebody's pointer or focus is in the list. `rows` says how many are shown.
 */
export class LiveList extends Card<{ visitors: Visitor[] }> {
    protected readonly heading = 'On the site now';
    protected override readonly everyMilliseconds = 60_000;
    private readonly known = new Map<string, Row>();
    private readonly items = new Map<string, HTMLElement>();
    private list = h('ol', { class: 'live' });
    private total = h('p', { class: 'quiet total' });
    private site = '';

    private get maximum(): number {
        return Number(this.getAttribute('rows')) || 8;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<{ visitors: Visitor[] }>> {
        if (scope.site !== this.site) this.known.clear();
        this.site = scope.site;
        return get(`/visitors?site=${encodeURIComponent(scope.site)}&limit=100`, signal);
    }

    protected override started(signal: AbortSignal): void {
        on('score', (message) => this.note(message, Date.now()), signal);
        const timer = setInterval(() => this.arrange(), DRAW_MILLISECONDS);
        signal.addEventListener('abort', () => clearInterval(timer));
    }

    protected draw({ data, at, isKept }: Answer<{ visitors: Visitor[] }>): Shown {
        for (const one of data.visitors) this.note(one, one.seen);
        const isThere = [...this.known.values()].some(
            (row) => isHere(row, isKept ? at : Date.now()),
        );
        if (!isThere) {
            const text = 'Nobody was seen in the last five minutes.';
            const hint = 'Whoever comes appears here by itself.';
            return {
                content: h(
                    'div',
                    {},
                    h('p', { class: 'calm' }, text),
                    h('p', { class: 'quiet' }, hint),
                    this.list,
                ),
            };
        }
        this.arrange();
        return { content: h('div', {}, this.list, this.total), asOf: at };
    }

    private note(message: ScoreMessage, seen: number): void {
        const before = this.known.get(message.visitor);
        if (before && before.updated > message.updated) return;
        const { visitor, score, band, profile: name, updated } = message;
        this.known.set(visitor, {
            visitor, score, band, profile: name, updated, seen,
            first: before?.first ?? score,
        });
        if (this.known.size > KEPT_MAXIMUM) this.forget();
    }

    private forget(): void {
        const oldest = [...this.known.values()].sort((one, other) => one.seen - other.seen);
        for (const row of oldest.slice(0, KEPT_MAXIMUM / 4)) this.known.delete(row.visitor);
    }

    private arrange(): void {
        if (document.visibilityState !== 'visible') return;
        const here = [...this.known.values()].filter((row) => isHere(row, Date.now()));
        const wanted = here.sort((one, other) => other.score - one.score).slice(0, this.maximum);
        const hot = here.filter((row) => row.band === 'hot').length;
        this.total.textContent = `${here.length} in the last five minutes, ${hot} of them hot`;
        if (here.length && !this.total.isConnected) this.list.after(this.total);
        const isHeld = this.list.matches(':hover') || this.list.contains(document.activeElement);
        if (isHeld) return this.update([...this.items.keys()]);
        const names = wanted.map((row) => row.visitor);
        for (const [visitor, item] of this.items) {
            if (names.includes(visitor)) continue;
            item.remove();
            this.items.delete(visitor);
        }
        names.forEach((visitor, index) => this.place(visitor, index));
        this.update(names);
        const calm = this.querySelector('.calm');
        if (here.length && calm) calm.nextElementSibling?.remove();
        if (here.length) calm?.remove();
    }

    private place(visitor: string, index: number): void {
        const item = this.items.get(visitor) ?? h('li', {});
        this.items.set(visitor, item);
        if (this.list.children[index] !== item) {
            this.list.insertBefore(item, this.list.children[index] ?? null);
        }
    }

    private update(visitors: string[]): void {
        for (const visitor of visitors) {
            const row = this.known.get(visitor);
            const item = this.items.get(visitor);
            if (row && item) fill(item, row);
        }
    }
}

const isHere = (row: Row, now: number): boolean => now - row.seen < HERE_MILLISECONDS;

function fill(item: HTMLElement, row: Row): void {
    const key = `${row.score}|${row.band}|${row.profile}|${ago(row.seen)}`;
    if (item.dataset['key'] === key) return;
    item.dataset['key'] = key;
    const delta = row.score - row.first;
    const arrow = delta > 0 ? '▲' : '▼';
    const moved = Math.abs(delta) < 0.05 ? '' : `${arrow} ${decimal(Math.abs(delta))}`;
    const link = item.querySelector('a') ?? visitorLink(row.visitor);
    const chip = scoreChip(row.score, row.band);
    const change = h('span', { class: `moved ${delta < 0 ? 'bad' : 'good'}` }, moved);
    const second = h(
        'span',
        { class: 'quiet second' },
        `${profile(row.profile)} · ${ago(row.seen)}`,
    );
    // The link stays the same node, so that focus stays in it.
    for (const child of [...item.childNodes]) if (child !== link) child.remove();
    item.prepend(chip);
    if (!link.isConnected) item.append(link);
    item.append(change, second);
}

customElements.define('hg-live-list', LiveList);
