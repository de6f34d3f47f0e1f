// What needs somebody, as the companion's rules say it.

import { type Answer, get, send } from '../core/api';
import { linkTo, type Scope } from '../core/scope';

export interface Notice {
    /** Names the rule and its subject. */
    id: string;
    severity: 'critical' | 'warning' | 'chance';
    title: string;
    why: string;
    link: { page: string; filter: Record<string, string> };
}

export interface Attention {
    cards: Notice[];
    /** How many hold and were put away. */
    put_away: number;
    /** Sources that did not answer. */
    missing: string[];
    as_of: string;
}

export type Act = 'snooze' | 'dismiss' | 'done';

export function attention(scope: Scope, signal: AbortSignal): Promise<Answer<Attention>> {
    return get<Attention>(`/sites/${encodeURIComponent(scope.site)}/attention`, signal);
}

export const addressOf = (notice: Notice): string =>
    linkTo({ page: notice.link.page, own: notice.link.filter });

const pathOf = (notice: Notice, site: string, act: string): string =>
    `/attention/${encodeURIComponent(notice.id)}${act}?site=${encodeURIComponent(site)}`;

export async function put(notice: Notice, site: string, act: Act): Promise<void> {
    await send('POST', pathOf(notice, site, `/${act}`), {});
}

export async function takeBack(notice: Notice, site: string): Promise<void> {
    await send('DELETE', pathOf(notice, site, ''));
}
