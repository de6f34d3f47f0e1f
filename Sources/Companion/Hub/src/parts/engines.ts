// The four engines of the business: what our own data feed, and what would have to be connected.

import { freshId, h } from '../core/dom';
import { linkTo } from '../core/scope';
import { blank } from './state';

interface Engine {
    name: string;
    state: 'partly' | 'not connected';
    fed: string;
    page: string;
    missing: string;
    how: string;
}

const ENGINES: Engine[] = [
    {
        name: 'Growth',
        state: 'partly',
        fed: 'Visitors, sessions, readiness and channels.',
        page: 'acquisition',
        missing: 'ad cost and cost per customer',
        how: 'needs an import of costs',
    },
    {
        name: 'Relationship',
        state: 'partly',
        fed: 'Return visits, profiles and score histories.',
        page: 'visitors',
        missing: 'satisfaction and contacts',
        how: 'needs survey events or a customer database',
    },
    {
        name: 'Revenue',
        state: 'partly',
        fed: 'Orders and values of purchase events, and their deliveries.',
        page: 'conversions',
        missing: 'deals, margins and returns on ads',
        how: 'needs deals and costs',
    },
    {
        name: 'Execution',
        state: 'not connected',
        fed: '',
        page: '',
        missing: 'projects, tasks and delivery risk',
        how: 'needs a project tool',
    },
];

export function engines(): HTMLElement {
    const id = freshId('engines');
    return h(
        'section',
        { class: 'engines', 'aria-labelledby': id },
        h('h2', { id, class: 'title' }, 'Engines'),
        h('div', { class: 'four' }, ...ENGINES.map(card)),
    );
}

function card(engine: Engine): HTMLElement {
    const isOff = engine.state === 'not connected';
    const text = `${engine.missing}: ${engine.how}.`;
    return h(
        'article',
        { class: `card engine${isOff ? ' off' : ''}` },
        h(
            'header',
            {},
            h('h3', { class: 'title' }, engine.name),
            h('span', { class: 'stamp' }, engine.state),
        ),
        engine.fed
            ? h(
                'p',
                {},
                engine.fed,
                ' ',
                h('a', { href: linkTo({ page: engine.page }) }, `Open ${engine.page}`),
            )
            : null,
        blank({ kind: 'not-connected', text }, () => undefined),
    );
}
