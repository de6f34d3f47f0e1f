// Attention to one page, section by section in the page's order, and what was clicked there in vain.

import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { count, DASH, duration, share, words } from '../core/format';
import { choose, type Scope } from '../core/scope';
import type { Outline } from '../core/shapes';
import { Card, type Shown } from './card';
import { barred } from './figures';
import { vainClicks } from './friction';
import { asOf, spanOf } from './query';
import { table } from './table';

type Section = Outline['sections'][number];

const DEVICES = ['', 'desktop', 'phone', 'tablet'];
const PAGES_MAXIMUM = 50;

class OutlineCard extends Card<Outline> {
    protected readonly heading = 'Attention on a page';
    private page = h('select', { 'aria-label': 'Page' });
    private device = h('select', { 'aria-label': 'Device' });

    protected override tools(): Node[] {
        this.device.replaceChildren(
            ...DEVICES.map((one) => h('option', { value: one }, one ? words(one) : 'Every device')),
        );
        this.page.onchange = () => choose({ page: this.page.value });
        this.device.onchange = () => choose({ device: this.device.value });
        return [this.page, this.device];
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Outline>> {
        const device = DEVICES.find((one) => one === scope.own.get('device')) ?? '';
        this.device.value = device;
        const query = spanOf(scope);
        const page = scope.own.get('page');
        if (page) query.set('page', page);
        if (device) query.set('device', device);
        const site = encodeURIComponent(scope.site);
        return get(`/sites/${site}/heatmap?${query}`, signal);
    }

    protected draw({ data }: Answer<Outline>, scope: Scope): Shown {
        const known = data.pages.slice(0, PAGES_MAXIMUM).map((one) => one.page);
        const shown = data.page && !known.includes(data.page) ? [data.page, ...known] : known;
        this.page.replaceChildren(...shown.map((one) => h('option', { value: one }, one)));
        this.page.value = data.page ?? '';
        this.page.hidden = !shown.length;
        if (!data.sections.length) {
            const text = data.page_views
                ? `${count(data.page_views)} page views, none with a summary of behaviour.`
                : `Nobody looked at a page in “${scope.range.title.toLowerCase()}”.`;
            const hint = 'Visitors who agree to profiling, on pages with sections, fill this.';
            return { blank: { kind: 'no-data', text, hint }, asOf: asOf(data) };
        }
        return { content: drawn(data), asOf: asOf(data) };
    }
}

function drawn(data: Outline): HTMLElement {
    const { rage, dead, error } = data.friction;
    return h(
        'div',
        {},
        table<Section>(`Sections of ${data.page}, in the page’s order`, columns(data), data.sections),
        h(
            'p',
            { class: 'quiet' },
            `${count(data.observed_page_views)} of ${count(data.page_views)} page views by `
            + `${count(data.visitors)} visitors say what was looked at; the others did not agree to `
            + 'it or were too short. Time is active time with the section in view.',
        ),
        h('h3', { class: 'title' }, 'Clicked in vain on this page'),
        h(
            'p',
            { class: 'quiet' },
            `Of ${count(data.clicks)} clicks ${count(rage)} in rage, ${count(dead)} without effect, `
            + `${count(error)} followed by an error.`,
        ),
        data.elements.length ? vainClicks(data.elements, false) : null,
    );
}

function columns(data: Outline) {
    const most = Math.max(...data.sections.map((one) => one.dwell_share ?? 0)) || 1;
    const seen = (one: Section) =>
        data.observed_page_views ? share(one.page_views / data.observed_page_views) : DASH;
    const time = (value: number | null) => (value === null ? DASH : duration(value));
    return [
        { title: 'Section', cell: (one: Section) => words(one.category) },
        {
            title: 'Time',
            isNumber: true,
            cell: (one: Section) =>
                barred((one.dwell_share ?? 0) / most, share(one.dwell_share ?? 0)),
        },
        { title: 'Median', isNumber: true, cell: (one: Section) => time(one.dwell_median_ms) },
        { title: 'Seen', isNumber: true, cell: seen },
        {
            title: 'At most',
            isNumber: true,
            cell: (one: Section) =>
                one.visible_percent === null ? DASH : `${Math.round(one.visible_percent)} %`,
        },
        { title: 'Returns', isNumber: true, cell: (one: Section) => count(one.returns) },
        { title: 'Clicks', isNumber: true, cell: (one: Section) => count(one.clicks) },
    ];
}

customElements.define('hg-outline', OutlineCard);
