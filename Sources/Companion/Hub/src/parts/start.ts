// What to do while nothing has come yet; it goes when the first event is there.

import { type Answer, ask } from '../core/api';
import { h } from '../core/dom';
import { on } from '../core/hub';
import type { Scope } from '../core/scope';
import type { QueryAnswer } from '../core/shapes';
import { Card, type Shown } from './card';

class StartCard extends Card<QueryAnswer> {
    protected readonly heading = 'Nothing has come yet';
    protected override readonly everyMilliseconds = 10_000;

    override connectedCallback(): void {
        this.hidden = true;
        super.connectedCallback();
    }

    protected override started(signal: AbortSignal): void {
        on('score', () => void (this.hidden || this.refresh()), signal);
    }

    protected load({ site }: Scope, signal: AbortSignal): Promise<Answer<QueryAnswer>> {
        const range = { last: '91d', include_today: true };
        return ask('/query', { site, metrics: ['events'], range }, signal);
    }

    protected draw({ data }: Answer<QueryAnswer>, { site }: Scope): Shown {
        this.hidden = (data.totals.m[0] ?? 0) > 0;
        const tag = `/install?site=${encodeURIComponent(site)}`;
        const content = h(
            'ul',
            { class: 'listed' },
            h(
                'li',
                {},
                h('a', { href: '/demo/', target: 'shop' }, 'Open the demo shop'),
                ' beside this page: what you do there moves a score here.',
            ),
            h(
                'li',
                {},
                h('a', { href: tag }, 'Put the tag on your pages'),
                ', ready to be copied.',
            ),
            h('li', {}, h('code', {}, 'heliograph demo seed'), ' fills it with a made-up past.'),
        );
        return { content };
    }
}

customElements.define('hg-start', StartCard);
