// One visitor: the score, why it is that, how it came there.

import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import {
    ago,
    clockTime,
    day,
    decimal,
    duration,
    fullTime,
    minuteTime,
    share,
    signed,
    words,
} from '../core/format';
import { on } from '../core/hub';
import { linkTo, readScope, type Scope } from '../core/scope';
import type {
    Contribution,
    Deed,
    Explanation,
    HistoryPoint,
    LikelyLink,
    Page,
    Visitor,
} from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { divergingBar, lineChart } from '../parts/charts';
import { barred, facts, profile, scoreChip, visitorLink } from '../parts/figures';
import { Pages } from '../parts/pages';
import { table } from '../parts/table';
import { timeline } from '../parts/timeline';

const REFRESH_MILLISECONDS = 2_000;
const HISTORY = 200;
const DEEDS = 50;
/** So many terms are shown at once; a phone has no room for all. */
const LARGEST = 8;

function path(scope: Scope, part = '', more = ''): string {
    const site = encodeURIComponent(scope.site);
    return `/visitors/${encodeURIComponent(scope.rest)}${part}?site=${site}${more}`;
}

/** Asks again when the visitor's score moved, at most every two seconds. */
abstract class OneCard<T> extends Card<T> {
    protected override readonly everyMilliseconds = 30_000;
    private waiting = 0;

    protected override started(signal: AbortSignal): void {
        const visitor = readScope().rest;
        const ask = () => {
            this.waiting = 0;
            void this.refresh();
        };
        on('score', (message) => {
            if (message.visitor !== visitor || this.waiting) return;
            this.waiting = window.setTimeout(ask, REFRESH_MILLISECONDS);
        }, signal);
        signal.addEventListener('abort', () => window.clearTimeout(this.waiting));
    }
}

class ScoreCard extends OneCard<Visitor> {
    protected readonly heading = 'Now';

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Visitor>> {
        return get(path(scope), signal);
    }

    protected draw({ data }: Answer<Visitor>): Shown {
        const heads = Object.entries(data.heads ?? {}).map(([name, head]) =>
            [words(name), `${words(head.label)} (${share(head.value)})`] as [string, string]);
        const trends = Object.entries(data.trend ?? {}).map(([window, trend]) =>
            [
                `Trend, ${window}`,
                `${signed(trend.points_per_hour, 1)} points an hour`,
            ] as [string, string]);
        const content = h(
            'div',
            { class: 'now' },
            h('p', { class: 'big' }, scoreChip(data.score, data.band)),
            facts([
                ['Profile', profile(data.profile, data.confidence)],
                ['Likelihood to convert', share(data.likelihood)],
                ['Last seen', `${ago(data.seen)} · ${fullTime(data.seen)}`],
                ...trends,
                ...heads,
                ...(data.links ?? []).map(likely),
                ['Model', h('code', {}, data.model)],
            ]),
        );
        return { content, asOf: data.as_of };
    }
}

function likely(link: LikelyLink): [string, Node] {
    const reasons = link.reasons.filter((one) => one.adds > 0).map((one) => one.detail);
    const content = h(
        'span',
        {},
        visitorLink(link.visitor),
        ` (${share(link.confidence)}): ${reasons.join('; ')}`,
    );
    return ['Perhaps the same person', content];
}

class WhyCard extends OneCard<Explanation> {
    protected readonly heading = 'Why this score';

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Explanation>> {
        return get(path(scope, '/explain'), signal);
    }

    protected draw({ data }: Answer<Explanation>): Shown {
        const parts = data.contributions.filter((one) => one.log_odds !== 0);
        const largest = Math.max(...parts.map((one) => Math.abs(one.log_odds)), 0);
        const content = h(
            'div',
            {},
            h(
                'p',
                { class: 'quiet' },
                'Terms in log-odds: what raises stands right of the middle, what lowers left. '
                    + 'Base and terms add up to the score.',
            ),
            parts.length
                ? terms(parts.slice(0, LARGEST), largest)
                : h(
                    'p',
                    { class: 'calm' },
                    'Nothing was measured yet; the score is the base alone.',
                ),
            smaller(parts.slice(LARGEST), largest),
            sum(data),
            next(data),
            silent(data),
        );
        return { content, asOf: data.as_of };
    }
}

function terms(parts: Contribution[], largest: number): HTMLElement {
    return table<Contribution>(
        'Terms of the score, the largest first',
        [
            {
                title: 'Signal',
                cell: (one) => h(
                    'span',
                    {},
                    h('b', {}, one.label),
                    h('small', { class: 'quiet' }, one.sentence),
                ),
            },
            { title: 'Term', isNumber: true, cell: (one) => divergingBar(one.log_odds, largest) },
            { title: 'Log-odds', isNumber: true, cell: (one) => signed(one.log_odds) },
            { title: 'Without it', isNumber: true, cell: (one) => decimal(one.score_without) },
            {
                title: 'Halves in',
                isNumber: true,
                cell: (one) => duration(one.half_life_s * 1_000),
            },
        ],
        parts,
    );
}

function smaller(parts: Contribution[], largest: number): HTMLElement | null {
    if (!parts.length) return null;
    const all = parts.reduce((total, one) => total + one.log_odds, 0);
    const title = `${parts.length} smaller terms, together ${signed(all)}`;
    return h('details', {}, h('summary', {}, title), terms(parts, largest));
}

function sum(data: Explanation): HTMLElement {
    return h(
        'p',
        { class: 'sum' },
        `Base ${signed(data.base)} and all terms make ${signed(data.sum)}, which is a score of `,
        h('b', {}, decimal(data.score)),
        ` (${data.band}).`,
    );
}

function next(data: Explanation): HTMLElement | null {
    if (!data.next.length) return null;
    const list = data.next.map(
        (one) => h('li', {}, `${one.band} from ${fullTime(Date.parse(one.at))}`),
    );
    return h(
        'div',
        {},
        h('p', {}, 'If nothing happens, decay alone makes it:'),
        h('ul', {}, ...list),
    );
}

function silent(data: Explanation): HTMLElement | null {
    if (!data.not_measured.length) return null;
    const rows = data.not_measured.map(
        (one) => h('div', {}, h('dt', {}, words(one.signal)), h('dd', {}, one.reason)),
    );
    return h(
        'details',
        {},
        h('summary', {}, `${data.not_measured.length} signals say nothing, and why`),
        h('dl', { class: 'facts' }, ...rows),
    );
}

class ProfileCard extends OneCard<Explanation> {
    protected readonly heading = 'Buyer profile';

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Explanation>> {
        return get(path(scope, '/explain'), signal);
    }

    protected draw({ data }: Answer<Explanation>): Shown {
        const rows = Object.entries(data.probabilities).sort((one, other) => other[1] - one[1]);
        const content = h(
            'div',
            {},
            h('p', {}, profile(data.profile, data.confidence)),
            table<[string, number]>(
                'How likely each profile is',
                [
                    { title: 'Profile', cell: ([name]) => words(name) },
                    {
                        title: 'Probability',
                        isNumber: true,
                        cell: ([, value]) => barred(value, share(value)),
                    },
                ],
                rows,
            ),
        );
        return { content, asOf: data.as_of };
    }
}

class HistoryCard extends OneCard<{ history: HistoryPoint[] }> {
    protected readonly heading = 'How the score came here';

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(
        scope: Scope,
        signal: AbortSignal,
    ): Promise<Answer<{ history: HistoryPoint[] }>> {
        return get(path(scope, '/history', `&limit=${HISTORY}`), signal);
    }

    protected draw({ data, at }: Answer<{ history: HistoryPoint[] }>): Shown {
        if (!data.history.length) {
            const hint = 'A point is kept when the score has moved far, or with a new session.';
            return {
                blank: { kind: 'no-data', text: 'No point of history is kept yet.', hint },
                asOf: at,
            };
        }
        const content = lineChart({
            title: 'Score over time',
            points: data.history.map((one) => ({ at: one.at, value: one.score })),
            value: decimal,
            moment: fitting(data.history),
            isStep: true,
            top: 100,
        });
        return { content: h('div', {}, content, points(data.history)), asOf: at };
    }
}

const HOUR_MILLISECONDS = 3_600_000;

/** How exactly moments must be written to differ. */
function fitting(points: HistoryPoint[]): (at: number) => string {
    const span = (points[points.length - 1]?.at ?? 0) - (points[0]?.at ?? 0);
    if (span < HOUR_MILLISECONDS) return clockTime;
    return span < 24 * HOUR_MILLISECONDS ? minuteTime : (at) => `${day(at)} ${minuteTime(at)}`;
}

function points(history: HistoryPoint[]): HTMLElement {
    const rows = [...history].reverse().slice(0, LARGEST).map(point);
    const list = h(
        'ol',
        { class: 'timeline', tabindex: '0', 'aria-label': 'Timeline of the score' },
        ...rows,
    );
    return h('div', {}, h('h3', { class: 'title' }, 'The last points'), list);
}

function point(one: HistoryPoint): HTMLElement {
    const change = `profile ${words(one.profile_before ?? '')} → ${words(one.profile)}`;
    const terms = (one.terms ?? []).slice(0, 3);
    const causes = terms.map((part) => `${words(part.name)} ${signed(part.adds)}`).join(' · ');
    return h(
        'li',
        {},
        h('time', { datetime: new Date(one.at).toISOString() }, fullTime(one.at)),
        scoreChip(one.score, one.band),
        h('span', {}, words(one.reason)),
        one.profile_before ? h('span', { class: 'quiet' }, change) : null,
        h('span', { class: 'quiet' }, causes),
    );
}

class TimelineCard extends OneCard<Page<Deed>> {
    protected readonly heading = 'What they did';

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    private ask(scope: Scope, cursor: string, signal: AbortSignal): Promise<Answer<Page<Deed>>> {
        const more = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
        return get(path(scope, '/timeline', `&limit=${DEEDS}${more}`), signal);
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Page<Deed>>> {
        return this.ask(scope, '', signal);
    }

    protected draw({ data, at }: Answer<Page<Deed>>, scope: Scope): Shown {
        if (!data.items.length) {
            const text = 'Nothing that they did is stored.';
            return { blank: { kind: 'no-data', text }, asOf: at };
        }
        const pages = new Pages<Deed>(
            (cursor, signal) => this.ask(scope, cursor, signal),
            timeline,
        );
        return { content: pages.begin(data, this.life.signal), asOf: at };
    }
}

customElements.define('hg-score', ScoreCard);
customElements.define('hg-why', WhyCard);
customElements.define('hg-profile', ProfileCard);
customElements.define('hg-history', HistoryCard);
customElements.define('hg-timeline', TimelineCard);

export function page(): Node[] {
    const { rest } = readScope();
    return [
        h(
            'p',
            { class: 'path' },
            h('a', { href: linkTo({ page: 'visitors' }) }, '← All visitors'),
            h('code', {}, rest),
        ),
        h(
            'div',
            { class: 'two wide' },
            h('div', { class: 'stack' }, h('hg-history'), h('hg-why')),
            h('div', { class: 'stack first' }, h('hg-score'), h('hg-profile'), h('hg-timeline')),
        ),
    ];
}
