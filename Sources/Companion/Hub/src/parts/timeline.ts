// What a visitor did and what came of it, session by session, the newest first.

import { type Child, h } from '../core/dom';
import { amount, decimal, fullTime, moment, signed, words } from '../core/format';
import { linkTo } from '../core/scope';
import type { Deed } from '../core/shapes';
import { scoreChip, stateChip } from './figures';

const MOVEMENTS: Record<string, string> = {
    back: 'Went back',
    forward: 'Went forward',
    u_turn: 'Turned around at once',
    loop: 'Went in a loop',
};

const CONSENTS: readonly [number, string][] = [
    [1, 'measurement'],
    [2, 'storage on the device'],
    [4, 'profiling'],
    [8, 'linking and advertising'],
    [16, 'pointer'],
    [32, 'personalised advertising'],
];

/** Scores and deliveries belong to no session; they stand with what came just after them. */
export function timeline(deeds: readonly Deed[]): HTMLElement {
    const list = h('ol', { class: 'timeline deeds', tabindex: '0', 'aria-label': 'What they did' });
    let session: string | undefined;
    for (const deed of deeds) {
        if (deed.session && deed.session !== session) {
            session = deed.session;
            list.append(
                h('li', { class: 'session' }, h('b', {}, `Session up to ${moment(deed.at)}`)),
            );
        }
        list.append(line(deed));
    }
    return list;
}

function line(deed: Deed): HTMLElement {
    const { at } = deed;
    const when = { datetime: new Date(at).toISOString(), title: fullTime(at) };
    const time = h('time', when, moment(at));
    return h('li', { class: deed.kind }, time, h('span', {}, ...said(deed)));
}

function said({ kind, detail }: Deed): Child[] {
    const text = (name: string) => (detail[name] === undefined ? '' : String(detail[name]));
    switch (kind) {
        case 'page_view':
            return ['Looked at ', h('b', {}, text('page') || 'a page'), quiet(text('title'))];
        case 'click':
            return ['Clicked ', h('b', {}, text('label') || 'something')];
        case 'form':
            return ['Form ', h('b', {}, text('form')), quiet(text('step'))];
        case 'navigation':
            return [MOVEMENTS[text('movement')] ?? 'Moved between pages'];
        case 'identify':
            return ['Was identified'];
        case 'consent':
            return ['Consent: ', consent(Number(detail['consent'] ?? 0))];
        case 'custom':
            return ['Event ', h('b', {}, text('name'))];
        case 'score':
            return score(detail, text);
        case 'conversion':
            return ['Conversion ', h('b', {}, text('name')), ' ', value(detail), trace(text('id'))];
        case 'delivery':
            return [
                `Told to ${text('destination')} `,
                stateChip(text('state')),
                quiet(text('reason')),
            ];
        default:
            return [words(kind)];
    }
}

const quiet = (text: string): Child => (text ? h('span', { class: 'quiet' }, ` ${text}`) : null);

const consent = (bits: number): string =>
    CONSENTS.filter(([bit]) => bits & bit).map(([, name]) => name).join(', ') || 'nothing';

function value(detail: Deed['detail']): string {
    const { value: worth, currency } = detail;
    if (typeof worth !== 'number') return '';
    return typeof currency === 'string' ? amount(worth, currency) : decimal(worth);
}

const trace = (id: string): Child =>
    id ? h('a', { href: linkTo({ page: 'quality', own: { event: id } }) }, ' trace') : null;

function score(detail: Deed['detail'], text: (name: string) => string): Child[] {
    const cause = detail['cause'] as { name?: string; adds?: number } | undefined;
    const before = text('profile_before');
    return [
        scoreChip(Number(detail['score'] ?? 0), text('band')),
        ' ',
        words(text('reason')),
        before ? quiet(`· profile ${words(before)} → ${words(text('profile'))}`) : null,
        cause?.name ? quiet(`· ${words(cause.name)} ${signed(cause.adds ?? 0)}`) : null,
    ];
}
