// What needs somebody: a closed list of rules over what the companion answers. A rule says nothing
// where its source does not answer; the card then names the source.

import { get, type Problem } from '../core/api';
import { count, duration, share, words } from '../core/format';
import { remember, remembered } from '../core/memory';
import { linkTo, type Scope } from '../core/scope';
import type { DestinationHealth, Page, Rejected, Visitor } from '../core/shapes';

export type Severity = 'critical' | 'warning' | 'chance';

export interface Notice {
    /** Names the rule and its subject, so that putting off holds over readings. */
    id: string;
    severity: Severity;
    title: string;
    why: string;
    href: string;
    /** How many it concerns; orders notices of one severity. */
    affected: number;
}

export interface Attention {
    notices: Notice[];
    /** Sources that did not answer. */
    missing: string[];
}

const RANK: Record<Severity, number> = { critical: 0, warning: 1, chance: 2 };
const OLD_PENDING_SECONDS = 600;
const DEAD_SHARE = 0.005;
const REJECTED_LIST = 200;
const HOUR_MILLISECONDS = 3_600_000;
const HERE_MILLISECONDS = 300_000;
const LIST = 100;

export async function attention(scope: Scope, signal: AbortSignal): Promise<Attention> {
    const site = encodeURIComponent(scope.site);
    const [health, rejected, visitors] = await Promise.allSettled([
        get<{ destinations: DestinationHealth[] }>(`/sites/${site}/deliveries/health`, signal),
        get<Page<Rejected>>(`/rejected?site=${site}&limit=${REJECTED_LIST}`, signal),
        get<{ visitors: Visitor[] }>(`/visitors?site=${site}&limit=${LIST}`, signal),
    ]);
    if ([health, rejected, visitors].every((one) => one.status === 'rejected')) {
        throw (health as PromiseRejectedResult).reason as Problem;
    }
    const notices: Notice[] = [];
    const missing: string[] = [];
    if (health.status === 'fulfilled') {
        notices.push(...health.value.data.destinations.flatMap(aboutDestination));
    } else missing.push('deliveries');
    if (rejected.status === 'fulfilled') notices.push(...aboutRejected(rejected.value.data.items));
    else missing.push('refused events');
    if (visitors.status === 'fulfilled') notices.push(...aboutHot(visitors.value.data.visitors));
    else missing.push('visitors');
    return { notices: notices.filter(isWanted).sort(byWeight), missing };
}

function byWeight(one: Notice, other: Notice): number {
    return RANK[one.severity] - RANK[other.severity] || other.affected - one.affected;
}

// MARK: - Rules

function aboutDestination(one: DestinationHealth): Notice[] {
    const waiting = (one.states['pending'] ?? 0) + (one.states['retry'] ?? 0);
    const href = linkTo({ page: 'deliveries', own: { destination: one.destination } });
    const notice = (rule: string, severity: Severity, title: string, why: string, n: number) => ({
        id: `${rule}:${one.destination}`,
        severity,
        title: `${one.destination}: ${title}`,
        why,
        href,
        affected: n,
    });
    if (one.token_refused || one.state === 'stopped' || one.state === 'failing') {
        const why = `${count(waiting)} wait · ${one.reason ?? one.code ?? 'no reason was given'}`;
        const title = one.token_refused ? 'credentials refused' : 'deliveries fail';
        return [notice('destination-down', 'critical', title, why, waiting)];
    }
    const found: Notice[] = [];
    const old = one.oldest_pending_seconds ?? 0;
    if (old > OLD_PENDING_SECONDS) {
        const why = `the oldest of ${count(waiting)} waits for ${duration(old * 1_000)}`;
        found.push(notice('deliveries-late', 'warning', 'deliveries are late', why, waiting));
    }
    const settled = one.accepted + one.refused;
    if (settled && one.refused / settled > DEAD_SHARE) {
        const part = share(one.refused / settled);
        const why = `${count(one.refused)} of ${count(settled)} settled (${part})`;
        found.push(notice('deliveries-dead', 'warning', 'refuses conversions', why, one.refused));
    }
    if (one.in_doubt) {
        const why = 'nobody can say whether they arrived';
        found.push(
            notice('in-doubt', 'warning', `${count(one.in_doubt)} in doubt`, why, one.in_doubt),
        );
    }
    return found;
}

/** One notice for the commonest reason of the last hour. */
function aboutRejected(all: Rejected[]): Notice[] {
    const from = Date.now() - HOUR_MILLISECONDS;
    const recent = all.filter((one) => Date.parse(one.received_at) >= from);
    if (!recent.length) return [];
    const reasons = new Map<string, number>();
    for (const one of recent) reasons.set(one.reason, (reasons.get(one.reason) ?? 0) + 1);
    const [reason, most] = [...reasons].sort((a, b) => b[1] - a[1])[0]!;
    const isAll = recent.length < REJECTED_LIST;
    const many = isAll ? count(recent.length) : `${REJECTED_LIST} or more`;
    return [
        {
            id: `rejected:${reason}`,
            severity: 'warning',
            title: `${many} events refused in the last hour`,
            why: `most often: ${words(reason).toLowerCase()} (${count(most)})`,
            href: linkTo({ page: 'quality', own: { reason } }),
            affected: recent.length,
        },
    ];
}

function aboutHot(visitors: Visitor[]): Notice[] {
    const from = Date.now() - HERE_MILLISECONDS;
    const hot = visitors.filter((one) => one.band === 'hot' && one.seen >= from);
    if (!hot.length) return [];
    const best = Math.max(...hot.map((one) => one.score));
    return [
        {
            id: 'hot-now',
            severity: 'chance',
            title:
                hot.length === 1
                    ? 'A hot visitor is here now'
                    : `${hot.length} hot visitors are here now`,
            why: `the highest score is ${best.toFixed(1)}`,
            href: linkTo({ page: 'visitors', own: { band: 'hot' } }),
            affected: hot.length,
        },
    ];
}

// MARK: - Put off

const SNOOZE_MILLISECONDS = 3_600_000;

/** Hides a notice for an hour, or for good until it has more to say. */
export function putOff(notice: Notice, forGood: boolean): void {
    const until = forGood ? Number.MAX_SAFE_INTEGER : Date.now() + SNOOZE_MILLISECONDS;
    const all = { ...kept(), [notice.id]: { until, affected: notice.affected } };
    const there = Object.entries(all).filter(([, one]) => one.until > Date.now());
    remember('put-off', JSON.stringify(Object.fromEntries(there.slice(-100))));
}

export function takeBack(notice: Notice): void {
    const all = kept();
    delete all[notice.id];
    remember('put-off', JSON.stringify(all));
}

type Kept = Record<string, { until: number; affected: number }>;

function kept(): Kept {
    try {
        return JSON.parse(remembered('put-off') ?? '{}') as Kept;
    } catch {
        return {};
    }
}

/** What was dismissed comes back when it concerns twice as many. */
function isWanted(notice: Notice): boolean {
    const one = kept()[notice.id];
    if (!one || one.until < Date.now()) return true;
    return notice.affected >= Math.max(2, one.affected * 2);
}
