// Small pieces that many cards show.

import { h } from '../core/dom';
import { decimal, shortId, words } from '../core/format';
import { linkTo } from '../core/scope';
import { shareBar } from './charts';

const BANDS = new Set(['cold', 'warm', 'hot']);

/** The score with its band: number and word, never the colour alone. */
export function scoreChip(score: number, band: string): HTMLElement {
    const kind = BANDS.has(band) ? band : 'cold';
    return h(
        'span',
        { class: `chip ${kind}` },
        h('b', {}, decimal(score)),
        ' ',
        h('span', {}, band || 'unknown'),
    );
}

export function visitorLink(id: string): HTMLElement {
    const href = linkTo({ page: 'visitors', rest: id });
    return h('a', { href, class: 'id', title: id }, shortId(id));
}

export function profile(name: string, confidence?: number): string {
    if (!name || name === 'undetermined') return 'Undetermined';
    const sure = confidence === undefined ? '' : ` ${Math.round(confidence * 100)} %`;
    return words(name) + sure;
}

/** A bar and its number, so that numbers of a column stand below each other. */
export function barred(part: number, text: string, kind?: string): HTMLElement {
    return h(
        'span',
        { class: 'with-bar' },
        shareBar(part, kind),
        h('span', { class: 'amount' }, text),
    );
}

const STATES: Record<string, string> = {
    delivered: 'good',
    open: 'good',
    done: 'good',
    dead: 'bad',
    failed: 'bad',
    stopped: 'bad',
    failing: 'bad',
    expired: 'bad',
    in_doubt: 'care',
    held: 'care',
    retry: 'care',
    paused: 'care',
};

export function stateChip(state: string): HTMLElement {
    return h('span', { class: `state ${STATES[state] ?? 'plain'}` }, words(state));
}

/** A list of names and values. */
export function facts(pairs: [string, Node | string | null | undefined][]): HTMLElement {
    const there = pairs.filter(
        ([, value]) => value !== null && value !== undefined && value !== '',
    );
    return h(
        'dl',
        { class: 'facts' },
        ...there.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    );
}
