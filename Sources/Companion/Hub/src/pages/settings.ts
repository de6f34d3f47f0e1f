import '../parts/goals-card';
import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { duration, signed, zoneName } from '../core/format';
import { remember, setTheme, shortcutsAreOn, theme, type Theme } from '../core/memory';
import { tell } from '../core/hub';
import type { Scope } from '../core/scope';
import type { ScoringNumbers, Site } from '../core/shapes';
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
            h(
                'fieldset',
                {},
                h('legend', {}, 'Keyboard'),
                h('label', {}, keys, ' Shortcuts of single keys'),
            ),
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
            h(
                'p',
                { class: 'quiet' },
                'Keys and consent are changed with ',
                h('code', {}, 'heliograph site'),
                ' and in the settings file. ',
                h('a', { href: '/install' }, 'The tag for your pages'),
            ),
        );
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

type Weight = ScoringNumbers['signals'][number];

class ScoringCard extends Card<ScoringNumbers> {
    protected readonly heading = 'How behaviour becomes a score';
    protected override readonly followsScope = false;

    protected load(_: Scope, signal: AbortSignal): Promise<Answer<ScoringNumbers>> {
        return get('/scoring', signal);
    }

    protected draw({ data, at }: Answer<ScoringNumbers>): Shown {
        const { warm, hot, hysteresis } = data.bands;
        const content = h(
            'div',
            {},
            facts([
                ['Model', h('code', {}, data.model)],
                ['Base', signed(data.base)],
                ['Score', '100 × logistic(base + Σ weight × value)'],
                ['Bands', `warm from ${warm}, hot from ${hot}; left ${hysteresis} points below`],
            ]),
            weights(data.signals),
            h(
                'p',
                { class: 'quiet' },
                'A signal’s value is 0 to 1. All of this is changed in ',
                h('code', {}, 'config/scoring.yaml'),
                '; ',
                h('code', {}, 'heliograph score compare'),
                ' tries other weights first.',
            ),
        );
        return { content, asOf: at };
    }
}

function weights(signals: Weight[]): HTMLElement {
    const rows = [...signals].sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight));
    const largest = Math.abs(rows[0]?.weight ?? 0);
    return table<Weight>(
        'Weights, the largest first',
        [
            { title: 'Signal', cell: (one) => one.label },
            {
                title: 'Weight',
                isNumber: true,
                cell: (one) => divergingBar(one.weight, largest),
            },
            { title: 'Value', isNumber: true, cell: (one) => signed(one.weight) },
            {
                title: 'Halves in',
                isNumber: true,
                cell: (one) => duration(one.half_life_s * 1_000),
            },
        ],
        rows,
    );
}

customElements.define('hg-appearance', AppearanceCard);
customElements.define('hg-sites', SitesCard);
customElements.define('hg-tokens', TokensCard);
customElements.define('hg-scoring', ScoringCard);

export function page(): Node[] {
    return [
        h('div', { class: 'two even' }, h('hg-appearance'), h('hg-sites')),
        h('hg-goals'),
        h('hg-tokens'),
        h('hg-scoring'),
    ];
}
