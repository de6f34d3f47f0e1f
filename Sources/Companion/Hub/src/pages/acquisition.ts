import { h } from '../core/dom';
import { type Breakdown, BreakdownCard } from '../parts/breakdown';

const VALUES = [
    { name: 'sessions', title: 'Sessions' },
    { name: 'visitors', title: 'Visitors' },
    { name: 'peak_readiness_avg', title: 'Peak readiness' },
    { name: 'single_page_rate', title: 'One page only' },
    { name: 'conversion_rate', title: 'Converting' },
    { name: 'revenue', title: 'Revenue' },
];

const MODELS = ['last_non_direct', 'first', 'last', 'linear', 'time_decay', 'position_based'];

const BREAKDOWNS: readonly Breakdown[] = [
    {
        name: 'channels',
        heading: 'Channels',
        about: 'The channel of a session is that of the touch it began with.',
        choices: [{ dimension: 'session.channel', title: 'Channel', isCoded: true }],
        metrics: VALUES,
        hint: 'Put the tag on a page, or open the demo shop.',
    },
    {
        name: 'sources',
        heading: 'Where visitors come from',
        about: 'Sources and campaigns are what links say in utm_source, utm_medium, utm_campaign.',
        choices: [
            { dimension: 'session.source', title: 'Source' },
            { dimension: 'session.medium', title: 'Medium' },
            { dimension: 'session.campaign', title: 'Campaign' },
        ],
        metrics: VALUES,
        hint: 'Links with utm_source, utm_medium and utm_campaign fill this.',
    },
    {
        name: 'landing',
        heading: 'Landing pages',
        about: 'Where sessions begin, how ready they are at their end, and how many convert.',
        choices: [{ dimension: 'session.landing_page', title: 'Landing page' }],
        metrics: [
            { name: 'sessions', title: 'Sessions' },
            { name: 'new_visitors', title: 'New visitors' },
            { name: 'bounce_rate', title: 'Bounced' },
            { name: 'readiness_avg', title: 'Readiness at the end' },
            { name: 'hot_share', title: 'Ending hot' },
            { name: 'session_conversion_rate', title: 'Converting' },
        ],
        hint: 'Page views fill this.',
    },
    {
        name: 'earned',
        heading: 'What earned conversions',
        about: 'Each conversion is one credit, shared out among the touches that led to it.',
        choices: [
            { dimension: 'session.channel', title: 'Channel', isCoded: true },
            { dimension: 'session.source', title: 'Source' },
            { dimension: 'session.campaign', title: 'Campaign' },
        ],
        metrics: [
            { name: 'attributed_conversions', title: 'Conversions' },
            { name: 'attributed_revenue', title: 'Revenue' },
        ],
        models: MODELS,
        hint: 'Conversions fill this.',
    },
];

class AcquisitionCard extends BreakdownCard {
    protected readonly breakdowns = BREAKDOWNS;
}

customElements.define('hg-acquisition', AcquisitionCard);

export function page(): Node[] {
    return BREAKDOWNS.map((one) => h('hg-acquisition', { of: one.name }));
}
