import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { duration, signed, zoneName } from '../core/format';
import { remember, setTheme, shortcutsAreOn, theme, type Theme } from '../core/memory';
import { tell } from '../core/hub';
import type { Scope } from '../core/scope';
import type { Contribution, Explanation, Site, Visitor } from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { divergingBar } from '../parts/charts';
import { facts } from '../parts/figures';
import { table } from '../parts/table';

class AppearanceCard extends Card<null> {
    protected readonly heading = 'This browser';
    protected override readonly followsScope = false;

    protected load(): Promise<Answer<null>> {
        return Promise.resolve({ data: null, at: Date.now(), isKept: false });
    }

    protected draw(): Shown {
        const themes = (['system', 'light', 'dark'] as Theme[]).map((one) =>
            h('label', {}, h('input', {
                type: 'radio', name: 'theme', value: one, checked: theme() === one,
                onchange: () => setTheme(one),
            }), ` ${one}`));
        const keys = h('input', {
            type: 'checkbox', checked: shortcutsAreOn(),
            onchange: (event) => {
                const on = (event.target as HTMLInputElement).checked;
                remember('shortcuts', on ? null : 'off');
                tell('say', on ? 'Shortcuts are on.' : 'Shortcuts are off.');
            },
        });
        const content = h('div', { class: 'choices' },
            h('fieldset', {}, h('legend', {}, 'Theme'), ...themes),
            h('fieldset', {}, h('legend', {}, 'Keyboard'), h('label', {}, keys, ' Shortcuts of single keys')),
            h('p', { class: 'quiet' }, `Moments are shown in the time zone ${zoneName()}.`));
        return { content };
    }
}

class SitesCard extends Card<{ sites: Site[] }> {
    protected readonly heading = 'Sites';
    protected override readonly followsScope = false;

    protected load(_: Scope, signal: AbortSignal): Promise<Answer<{ sites: Site[] }>> {
        return get('/sites', signal);
    }

    protected draw({ data, at }: Answer<{ sites: Site[] }>): Shown {
        const content = h('div', {},
            table<Site>('Sites', [
                { title: 'Name', cell: (one) => one.name },
                { title: 'Time zone', cell: (one) => one.time_zone },
                { title: 'Currency', cell: (one) => one.currency },
            ], data.sites),
            h('p', { class: 'quiet' }, 'Keys and consent are changed with ', h('code', {}, 'heliograph site'),
                ' and in the settings file. ', h('a', { href: '/install' }, 'The tag for your pages')));
        return { content, asOf: at };
    }
}

interface Token {
    id: string;
    name: string;
    scopes: string[];
    sites: string[] | null;
}

class TokensCard extends Card<{ tokens: Token[] }> {
    protected readonly heading = 'Tokens';
    protected override readonly followsScope = false;

    protected load(_: Scope, signal: AbortSignal): Promise<Answer<{ tokens: Token[] }>> {
        return get('/tokens', signal);
    }

    protected draw({ data, at }: Answer<{ tokens: Token[] }>): Shown {
        if (!data.tokens.length) {
            const hint = 'heliograph token create makes one.';
            return { blank: { kind: 'no-data', text: 'There are no tokens.', hint }, asOf: at };
        }
        const content = table<Token>('Tokens', [
            { title: 'Name', cell: (one) => one.name },
            { title: 'May', cell: (one) => one.scopes.join(', ') },
            { title: 'Sites', cell: (one) => one.sites?.join(', ') ?? 'all' },
        ], data.tokens);
        return { content, asOf: at };
    }
}

interface Scoring {
    explanation: Explanation;
    visitor: string;
}

/** The weights in force, read from the explanation of the visitor who was seen last. */
class ScoringCard extends Card<Scoring | null> {
    protected readonly heading = 'How behaviour becomes a score';

    protected async load(scope: Scope, signal: AbortSignal): Promise<Answer<Scoring | null>> {
        const site = encodeURIComponent(scope.site);
        const { data, at, isKept } = await get<{ visitors: Visitor[] }>(`/visitors?site=${site}&limit=20`, signal);
        const richest = [...data.visitors].sort((one, other) => measured(other) - measured(one))[0];
        if (!richest) return { data: null, at, isKept };
        const answer = await get<Explanation>(`/visitors/${encodeURIComponent(richest.visitor)}/explain?site=${site}`, signal);
        return { ...answer, data: { explanation: answer.data, visitor: richest.visitor } };
    }

    protected draw({ data }: Answer<Scoring | null>): Shown {
        if (!data) {
            return { blank: { kind: 'no-data', text: 'Nobody has been scored yet, so no weight was used.' } };
        }
        const { explanation } = data;
        const rows = [...explanation.contributions].sort((one, other) => Math.abs(other.beta) - Math.abs(one.beta));
        const largest = Math.max(...rows.map((one) => Math.abs(one.beta)), 0);
        const content = h('div', {},
            facts([
                ['Model', h('code', {}, explanation.model)],
                ['Base', signed(explanation.base)],
                ['Score', '100 × logistic(base + Σ weight × value)'],
            ]),
            table<Contribution>('Weights, the largest first', [
                { title: 'Signal', cell: (one) => one.label },
                { title: 'Weight', cell: (one) => divergingBar(one.beta, largest) },
                { title: 'Value', isNumber: true, cell: (one) => signed(one.beta) },
                { title: 'Halves in', isNumber: true, cell: (one) => duration(one.half_life_s * 1_000) },
            ], rows),
            h('p', { class: 'quiet' }, 'As used just now for the visitor with the most terms; signals that said nothing there are not listed. ',
                'They are changed in ', h('code', {}, 'config/scoring.yaml'), '; ', h('code', {}, 'heliograph score compare'), ' tries others first.'));
        return { content, asOf: explanation.as_of };
    }
}

const measured = (one: Visitor): number => one.terms.filter((term) => term.contribution !== 0).length;

customElements.define('hg-appearance', AppearanceCard);
customElements.define('hg-sites', SitesCard);
customElements.define('hg-tokens', TokensCard);
customElements.define('hg-scoring', ScoringCard);

export function page(): Node[] {
    return [
        h('div', { class: 'two even' }, h('hg-appearance'), h('hg-sites')),
        h('hg-tokens'),
        h('hg-scoring'),
    ];
}
