import '../parts/funnel';
import '../parts/kpi';
import '../parts/trend';
import { h } from '../core/dom';
import { type Breakdown, BreakdownCard } from '../parts/breakdown';

const FIGURES = [
    'conversions',
    'converting_visitors',
    'conversion_rate',
    'orders',
    'revenue',
    'aov',
];
const VALUES = [
    { name: 'conversions', title: 'Conversions' },
    { name: 'converting_visitors', title: 'Visitors' },
    { name: 'revenue', title: 'Revenue' },
];

const BREAKDOWNS: readonly Breakdown[] = [
    {
        name: 'names',
        rows: 'conversions',
        heading: 'What they came to',
        about: 'Each conversion counts once, however often it was told. Revenue is of purchases.',
        choices: [
            { dimension: 'conversion.name', title: 'Conversion', isCoded: true },
            { dimension: 'conversion.currency', title: 'Currency' },
        ],
        metrics: VALUES,
        hint: 'heliograph.track("purchase", …) makes one; rules in the settings make others.',
    },
    {
        name: 'from',
        heading: 'Where they came from',
        about: 'By the session of the conversion.',
        choices: [
            { dimension: 'session.channel', title: 'Channel', isCoded: true },
            { dimension: 'session.source', title: 'Source' },
            { dimension: 'session.campaign', title: 'Campaign' },
        ],
        metrics: VALUES,
        hint: 'Conversions fill this.',
    },
];

class ConversionCard extends BreakdownCard {
    protected readonly breakdowns = BREAKDOWNS;
}

customElements.define('hg-conversion', ConversionCard);

export function page(): Node[] {
    return [
        h(
            'section',
            { 'aria-labelledby': 'figures' },
            h('h2', { id: 'figures', class: 'unseen' }, 'Figures'),
            h('div', { class: 'kpis six' }, ...FIGURES.map((metric) => h('hg-kpi', { metric }))),
        ),
        h('hg-funnel'),
        h(
            'div',
            { class: 'two even' },
            h('hg-trend', { figure: 'conversions' }),
            h(
                'div',
                { class: 'stack' },
                ...BREAKDOWNS.map((one) => h('hg-conversion', { of: one.name })),
            ),
        ),
    ];
}
