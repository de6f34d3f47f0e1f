// What is looked at, and where: all of it stands in the address, so that a link shows the same.

import type { Site } from './shapes';

export interface Range {
    readonly key: string;
    readonly title: string;
    /** What `POST /query` takes. */
    readonly query: Record<string, unknown>;
    readonly grain: 'hour' | 'day' | 'week';
    readonly shortcut: string;
}

export const RANGES: readonly Range[] = [
    { key: 'today', title: 'Today', query: { preset: 'today' }, grain: 'hour', shortcut: 't' },
    {
        key: '7d',
        title: 'Last 7 days',
        query: { last: '7d', include_today: true },
        grain: 'day',
        shortcut: '7',
    },
    {
        key: '28d',
        title: 'Last 28 days',
        query: { last: '28d', include_today: true },
        grain: 'day',
        shortcut: '2',
    },
    {
        key: '91d',
        title: 'Last 91 days',
        query: { last: '91d', include_today: true },
        grain: 'week',
        shortcut: '9',
    },
];

export interface Scope {
    readonly page: string;
    /** What comes behind the page's name, such as a visitor's id. */
    readonly rest: string;
    readonly site: string;
    readonly range: Range;
    readonly compares: boolean;
    /** Members of the address that belong to one page only, such as a filter. */
    readonly own: URLSearchParams;
}

const SHARED = ['site', 'range', 'compare'];
const listeners = new Set<(scope: Scope) => void>();
let known: readonly Site[] = [];

/** The sites there are; the first is looked at while the address names none. */
export function setSites(sites: readonly Site[]): void {
    known = sites;
}

export const knownSites = (): readonly Site[] => known;

/** Nothing where the companion does not tell. */
export function currencyOf(site: string): string | undefined {
    return known.find((one) => one.name === site)?.currency;
}

export function zoneOf(site: string): string | undefined {
    return known.find((one) => one.name === site)?.time_zone;
}

export function readScope(hash = location.hash): Scope {
    const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
    const [page = '', ...rest] = path.split('/');
    const own = new URLSearchParams(query);
    const range = RANGES.find((one) => one.key === own.get('range')) ?? (RANGES[2] as Range);
    const site = own.get('site') ?? known[0]?.name ?? '';
    const compares = own.get('compare') !== 'none';
    for (const name of SHARED) own.delete(name);
    return { page: page || 'overview', rest: decoded(rest.join('/')), site, range, compares, own };
}

function decoded(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

export interface Change {
    page?: string;
    rest?: string;
    site?: string;
    range?: string;
    compares?: boolean;
    own?: Record<string, string>;
}

/** The address of the scope with a change. Another page keeps site, range and comparison. */
export function linkTo(change: Change): string {
    const now = readScope();
    const query = new URLSearchParams();
    const site = change.site ?? now.site;
    if (site && site !== known[0]?.name) query.set('site', site);
    query.set('range', change.range ?? now.range.key);
    if (!(change.compares ?? now.compares)) query.set('compare', 'none');
    const own = change.own ?? (change.page === undefined ? Object.fromEntries(now.own) : {});
    for (const [key, value] of Object.entries(own)) if (value) query.set(key, value);
    const page = change.page ?? now.page;
    const rest = change.rest ?? (change.page === undefined ? now.rest : '');
    return `#/${page}${rest ? '/' + encodeURIComponent(rest) : ''}?${query}`;
}

export function goTo(change: Change): void {
    location.hash = linkTo(change);
}

/** Into the address, so that a link shows the same; what else the page keeps there stays. */
export function choose(own: Record<string, string>): void {
    goTo({ own: { ...Object.fromEntries(readScope().own), ...own } });
}

/** Calls with every new scope, until the signal ends it. */
export function onScope(call: (scope: Scope) => void, signal: AbortSignal): void {
    listeners.add(call);
    signal.addEventListener('abort', () => listeners.delete(call));
}

window.addEventListener('hashchange', () => {
    const scope = readScope();
    for (const call of [...listeners]) call(scope);
});
