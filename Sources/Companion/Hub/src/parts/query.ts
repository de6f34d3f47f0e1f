// Questions to `POST /query`, and what of an answer one figure needs.

import { ask, type Answer } from '../core/api';
import type { Scope } from '../core/scope';
import { figure } from '../core/format';
import type { QueryAnswer, QueryColumn, Worth } from '../core/shapes';

export interface Figure {
    metric: string;
    title: string;
    /** Whether more is better, worse, or neither. */
    better: 'more' | 'less' | 'neither';
    /** Says how the metric is counted, in a sentence. */
    about: string;
    /** What it divides by: a ratio of nothing is no zero. */
    of?: string;
}

export const FIGURES: readonly Figure[] = [
    {
        metric: 'visitors',
        title: 'Visitors',
        better: 'more',
        about: 'Distinct visitors with a page view.',
    },
    { metric: 'sessions', title: 'Sessions', better: 'more', about: 'Sessions with a page view.' },
    {
        metric: 'conversion_rate',
        title: 'Conversion rate',
        better: 'more',
        about: 'Converting visitors by visitors.',
        of: 'visitors',
    },
    {
        metric: 'revenue',
        title: 'Revenue',
        better: 'more',
        about: 'Sum of the values of purchases.',
    },
    {
        metric: 'aov',
        title: 'Order value',
        better: 'more',
        about: 'Revenue by orders.',
        of: 'orders',
    },
    {
        metric: 'hot_visitors',
        title: 'Hot visitors',
        better: 'more',
        about: 'Distinct visitors who were in the band hot.',
    },
    {
        metric: 'active_time_avg',
        title: 'Active time',
        better: 'more',
        about: 'Mean time of a session in which the page is visible, in focus and in use.',
        of: 'sessions',
    },
    {
        metric: 'single_page_rate',
        title: 'Single-page sessions',
        better: 'less',
        about: 'Share of sessions with one page view only.',
        of: 'sessions',
    },
];

/** What other pages show beside those. */
const OTHERS: readonly Figure[] = [
    {
        metric: 'conversions',
        title: 'Conversions',
        better: 'more',
        about: 'Conversions of every name, each once.',
    },
    {
        metric: 'converting_visitors',
        title: 'Converting visitors',
        better: 'more',
        about: 'Distinct visitors with a conversion.',
    },
    { metric: 'orders', title: 'Orders', better: 'more', about: 'Purchases.' },
];

export const ALL_FIGURES: readonly Figure[] = [...FIGURES, ...OTHERS];

/** The figure over the range in buckets, with the time before when the scope compares. */
export function course(
    metric: string,
    scope: Scope,
    signal: AbortSignal,
): Promise<Answer<QueryAnswer>> {
    const body: Record<string, unknown> = {
        site: scope.site,
        metrics: [metric],
        grain: scope.range.grain,
        range: scope.range.query,
    };
    if (scope.compares) body['compare'] = { to: 'previous', align: 'elapsed' };
    return ask<QueryAnswer>('/query', body, signal);
}

/** The range as parameters of a GET. */
export const spanOf = ({ range }: Scope): URLSearchParams =>
    new URLSearchParams(Object.entries(range.query).map(([name, one]) => [name, String(one)]));

/** Money in whole units; everything else as it is. */
export const whole = (value: number | null, column?: QueryColumn): number | null =>
    value === null ? null : value / 10 ** (column?.minor_digits ?? 0);

/** A figure as its column wants it written. */
export const written = (value: number | null, column?: QueryColumn): string =>
    figure(whole(value, column), column?.type ?? 'integer', column?.currency);

export const asOf = (answer: { meta: Worth }): number | undefined => {
    const at = Date.parse(answer.meta.as_of ?? '');
    return Number.isFinite(at) ? at : undefined;
};
