// The steps of a funnel: how they stand in the address, which ones a site begins with, what they are
// called.

import { ask } from '../core/api';
import { words } from '../core/format';
import type { Scope } from '../core/scope';
import type { FunnelMark, QueryAnswer } from '../core/shapes';

export type Kind = 'page' | 'event' | 'conversion' | 'form';
export type Step = FunnelMark[];

export const KINDS: readonly { kind: Kind; title: string }[] = [
    { kind: 'page', title: 'Page' },
    { kind: 'event', title: 'Event' },
    { kind: 'conversion', title: 'Conversion' },
    { kind: 'form', title: 'Form' },
];
export const STEPS_MAXIMUM = 8;
export const WINDOWS = ['30m', '24h', '7d', '28d', '90d'];
export const ORDERS: readonly { name: string; title: string }[] = [
    { name: 'any_between', title: 'anything between' },
    { name: 'strict', title: 'nothing between' },
];

/** What shops do one after the other; other names follow by how often they happen. */
const USUAL = ['view_item', 'add_to_cart', 'begin_checkout', 'add_payment_info', 'purchase'];
const SHOWING = /product|pricing|prices|plans|item/i;
const SUGGESTIONS = 40;

export const kindOf = (mark: FunnelMark): Kind =>
    KINDS.find(({ kind }) => mark[kind] !== undefined)?.kind ?? 'page';

export const nameOf = (mark: FunnelMark): string => mark[kindOf(mark)] ?? '';

export const marked = (kind: Kind, name: string): FunnelMark => ({ [kind]: name });

export function titleOf(step: Step): string {
    return step.map(title).join(' or ');
}

function title(mark: FunnelMark): string {
    const name = nameOf(mark);
    switch (kindOf(mark)) {
        case 'page':
            return name === '*' ? 'Any page' : name;
        case 'form':
            return `Form ${name}${mark.phase === 'submitted' ? ', submitted' : ''}`;
        default:
            return words(name);
    }
}

/** Steps of an address; nothing where it holds none that could be asked for. */
export function readSteps(text: string | null): Step[] | null {
    if (!text) return null;
    try {
        const found: unknown = JSON.parse(text);
        if (!Array.isArray(found) || !found.length || found.length > STEPS_MAXIMUM) return null;
        return found.every((step) => Array.isArray(step) && step.length && step.every(isMark))
            ? (found as Step[])
            : null;
    } catch {
        return null;
    }
}

function isMark(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const mark = value as FunnelMark;
    return KINDS.filter(({ kind }) => mark[kind] !== undefined).length === 1
        && Object.values(mark).every((one) => typeof one === 'string' && one !== '');
}

/** What the site's own rows offer: pages, events, conversions, those that happen most first. */
export type Offers = Record<Kind, string[]>;

export async function offers(scope: Scope, signal: AbortSignal): Promise<Offers> {
    const named = async (dimension: string, metric: string, filter?: unknown) => {
        const body = {
            site: scope.site, metrics: [metric], dimensions: [dimension],
            range: scope.range.query, limit: SUGGESTIONS, ...(filter ? { filter } : {}),
        };
        const { data } = await ask<QueryAnswer>('/query', body, signal);
        return data.rows.map((row) => row.d[0] ?? '').filter(Boolean);
    };
    const own = { field: 'event.type', op: 'in', values: ['cu'] };
    const [page, event, conversion] = await Promise.all([
        named('event.page', 'page_views'),
        named('event.name', 'events', own),
        named('conversion.name', 'conversions'),
    ]);
    return { page, event, conversion, form: [] };
}

/** Any page, the page that shows what is sold, and the conversions in their usual order. */
export function usualSteps({ page, conversion }: Offers): Step[] {
    const showing = page.find((one) => SHOWING.test(one));
    const usual = USUAL.filter((one) => conversion.includes(one));
    const others = conversion.filter((one) => !USUAL.includes(one));
    const goals = usual.length ? usual : others.slice(0, 1);
    const pages = goals.length ? [showing] : page.slice(0, 2);
    return [
        [marked('page', '*')],
        ...pages.filter((one) => one !== undefined).map((one) => [marked('page', one!)]),
        ...goals.map((one) => [marked('conversion', one)]),
    ].slice(0, STEPS_MAXIMUM);
}
