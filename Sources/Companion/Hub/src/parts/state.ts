// What stands in a card's place when it has nothing to show. Five states that look and say
// different things: a figure of zero is none of them.

import { Problem } from '../core/api';
import { h } from '../core/dom';

export type Blank =
    /** There is nothing in what was asked for; elsewhere there may be. */
    | { kind: 'no-data'; text: string; hint?: string }
    /** The data exist, but the visitors or the settings do not let us collect them. */
    | { kind: 'not-collected'; text: string; hint?: string }
    /** Nothing feeds it yet. */
    | { kind: 'not-connected'; text: string; hint?: string }
    | { kind: 'error'; problem: Problem };

const MARKS = { 'no-data': '○', 'not-collected': '◐', 'not-connected': '◌', error: '!' };
const TITLES = {
    'no-data': 'No data',
    'not-collected': 'Not collected',
    'not-connected': 'Not connected',
};

export function blank(state: Blank, retry: () => void): HTMLElement {
    const mark = h('span', { class: 'mark', 'aria-hidden': 'true' }, MARKS[state.kind]);
    if (state.kind === 'error') return failure(state.problem, mark, retry);
    return h(
        'div',
        { class: `blank ${state.kind}` },
        mark,
        h(
            'div',
            {},
            h('p', { class: 'what' }, h('strong', {}, TITLES[state.kind]), ` · ${state.text}`),
            state.hint ? h('p', { class: 'quiet' }, state.hint) : null,
        ),
    );
}

function failure(problem: Problem, mark: HTMLElement, retry: () => void): HTMLElement {
    const { title, text } = wording(problem);
    return h(
        'div',
        { class: `blank ${problem.isUnknownRoute ? 'missing' : 'error'}` },
        mark,
        h(
            'div',
            {},
            h('p', { class: 'what' }, h('strong', {}, title), ` · ${text}`),
            h('p', { class: 'quiet' }, reference(problem)),
            problem.status === 401
                ? h('a', { class: 'button small', href: signInAddress() }, 'Sign in')
                : h('button', { class: 'small', type: 'button', onclick: retry }, 'Try again'),
        ),
    );
}

export const signInAddress = (): string =>
    `/welcome?next=${encodeURIComponent(location.pathname + location.search)}`;

function wording(problem: Problem): { title: string; text: string } {
    if (problem.isUnknownRoute) {
        return { title: 'Not in this companion', text: 'It has no such route yet.' };
    }
    if (problem.status === 401) return { title: 'Signed out', text: 'Sign in to see this.' };
    if (problem.status === 403) {
        return { title: 'Not allowed', text: problem.detail || 'Your access lacks a scope.' };
    }
    return { title: problem.title, text: problem.detail || 'No more was said.' };
}

function reference(problem: Problem): string {
    const request = problem.request ? ` · request ${problem.request}` : '';
    const status = problem.status ? `${problem.status} ${problem.code}` : problem.code;
    return `${status} · /api/v1${problem.path.split('?')[0]}${request}`;
}
