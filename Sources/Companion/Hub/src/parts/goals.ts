// What is wanted of figures: asked for once for all cards of a page, told beside each figure.

import { get } from '../core/api';
import { h } from '../core/dom';
import { moved } from '../core/format';
import { on } from '../core/hub';
import type { Scope } from '../core/scope';
import type { Goal, QueryColumn } from '../core/shapes';
import { written } from './query';

const KEPT_MILLISECONDS = 20_000;
/** Which goal fits a range best; other goals follow in the order of the companion. */
const FITTING: Record<string, string> = {
    today: 'day', '7d': 'week', '28d': 'month', '91d': 'quarter',
};
/** So close to what is expected counts as on pace. */
const CLOSE = 0.02;

let kept: { site: string; at: number; goals: Promise<Goal[]> } | null = null;

export function forgetGoals(): void {
    kept = null;
}

on('refresh', forgetGoals, new AbortController().signal);

/** Goals of a site. They are asked for beside the figures, so their own failing is no figure's. */
export function goalsOf(site: string): Promise<Goal[]> {
    if (kept?.site === site && Date.now() - kept.at < KEPT_MILLISECONDS) return kept.goals;
    const path = `/goals?site=${encodeURIComponent(site)}`;
    const goals = get<{ goals: Goal[] }>(path, new AbortController().signal)
        .then(({ data }) => data.goals);
    kept = { site, at: Date.now(), goals };
    goals.catch(forgetGoals);
    return goals;
}

/** The metric's goal whose period is most like the range. */
export function fitting(goals: readonly Goal[], metric: string, scope: Scope): Goal | null {
    const own = goals.filter((one) => one.metric === metric);
    return own.find((one) => one.period === FITTING[scope.range.key]) ?? own[0] ?? null;
}

export const columnOf = (goal: Goal): QueryColumn => ({
    name: goal.metric,
    type: goal.unit,
    ...(goal.currency ? { currency: goal.currency } : {}),
    ...(goal.minor_digits === undefined ? {} : { minor_digits: goal.minor_digits }),
});

/** How a goal stands: words and sign, never the colour alone. */
export function paceOf(goal: Goal, better: 'more' | 'less' | 'neither'): HTMLElement {
    if (goal.pace === null) return h('span', { class: 'quiet' }, 'nothing to tell yet');
    if (Math.abs(goal.pace) <= CLOSE) return h('span', { class: 'good' }, '= on pace');
    const isGood = better === 'less' ? goal.pace < 0 : goal.pace > 0;
    const [sign, word] = goal.pace > 0 ? ['▲', 'above'] : ['▼', 'below'];
    return h(
        'span',
        { class: isGood ? 'good' : 'bad' },
        h('span', { 'aria-hidden': 'true' }, `${sign} `),
        `${moved(goal.pace)} ${word} pace`,
    );
}

/** A line below a figure: the goal of its period, and the pace towards it. */
export function goalLine(goal: Goal, better: 'more' | 'less' | 'neither'): HTMLElement {
    const column = columnOf(goal);
    const title = `${written(goal.value, column)} of ${written(goal.target, column)} this `
        + `${goal.period}; ${written(goal.expected, column)} expected by now`;
    return h(
        'p',
        { class: 'goal', title },
        h('span', {}, `${written(goal.value, column)} of ${written(goal.target, column)}`),
        h('span', { class: 'quiet' }, ` this ${goal.period} · `),
        paceOf(goal, better),
    );
}
