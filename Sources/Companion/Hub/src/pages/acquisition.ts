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
];

class AcquisitionCard extends BreakdownCard {
    protected readonly breakdowns = BREAKDOWNS;
}

customElements.define('hg-acquisition', AcquisitionCard);

export function page(): Node[] {
    return BREAKDOWNS.map((one) => h('hg-acquisition', { of: one.name }));
}
