import '../parts/forms';
import '../parts/friction';
import '../parts/outline';
import { h } from '../core/dom';
import { type Breakdown, BreakdownCard } from '../parts/breakdown';

const BREAKDOWNS: readonly Breakdown[] = [
    {
        name: 'pages',
        heading: 'Pages',
        about: 'Addresses without what stands behind the question mark.',
        choices: [{ dimension: 'event.page', title: 'Page' }],
        metrics: [
            { name: 'page_views', title: 'Page views' },
            { name: 'visitors', title: 'Visitors' },
        ],
        hint: 'Put the tag on a page, or open the demo shop.',
    },
    {
        name: 'devices',
        heading: 'What they look with',
        about: 'By the browser’s own words; countries need the geo database of the settings.',
        choices: [
            { dimension: 'session.device', title: 'Device' },
            { dimension: 'session.browser', title: 'Browser' },
            { dimension: 'session.os', title: 'Operating system' },
            { dimension: 'session.country', title: 'Country' },
        ],
        metrics: [
            { name: 'page_views', title: 'Page views' },
            { name: 'visitors', title: 'Visitors' },
        ],
        hint: 'Page views fill this.',
    },
    {
        name: 'named',
        rows: 'events',
        heading: 'What they did',
        about: 'Events that pages name themselves.',
        choices: [{ dimension: 'event.name', title: 'Event' }],
        metrics: [{ name: 'events', title: 'Times' }],
        filter: { field: 'event.type', op: 'in', values: ['cu'] },
        hint: 'heliograph.track(name) on a page fills this.',
    },
    {
        name: 'profiles',
        heading: 'Who became ready',
        about: 'Visitors whose score history has a point in the band within the range.',
        choices: [{ dimension: 'visitor.profile', title: 'Profile', isCoded: true }],
        metrics: [
            { name: 'hot_visitors', title: 'Hot' },
            { name: 'warm_visitors', title: 'Warm' },
            { name: 'profile_changes', title: 'Changed' },
        ],
        hint: 'A point of history is kept when a score has moved far enough.',
    },
];

class BehaviourCard extends BreakdownCard {
    protected readonly breakdowns = BREAKDOWNS;
}

customElements.define('hg-behaviour', BehaviourCard);

export function page(): Node[] {
    const stack = (...names: string[]) =>
        h('div', { class: 'stack' }, ...names.map((name) => h('hg-behaviour', { of: name })));
    return [
        h('hg-outline'),
        h('div', { class: 'two even' }, h('hg-forms'), h('hg-friction')),
        h('div', { class: 'two even' }, stack('pages', 'profiles'), stack('named', 'devices')),
    ];
}
