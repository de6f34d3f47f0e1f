import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { amount, count, DASH, minuteTime, share } from '../core/format';
import { currencyOf, type Scope } from '../core/scope';
import type { Minutes } from '../core/shapes';
import { Card, type Shown } from '../parts/card';
import { stackedBars } from '../parts/charts';
import { barred, facts } from '../parts/figures';
import '../parts/live-list';
import { table } from '../parts/table';

const MINUTES = 60;
const EVERY_MILLISECONDS = 10_000;

abstract class MinutesCard extends Card<Minutes> {
    protected override readonly everyMilliseconds = EVERY_MILLISECONDS;

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Minutes>> {
        return get(`/sites/${encodeURIComponent(scope.site)}/live/minutes?last=${MINUTES}`, signal);
    }
}

class HourCard extends MinutesCard {
    protected readonly heading = 'The last hour in numbers';

    protected draw({ data }: Answer<Minutes>, scope: Scope): Shown {
        const { totals } = data;
        const value = totals.value_thousandths / 1_000;
        const content = facts([
            ['Events', count(totals.events)],
            ['Page views', count(totals.page_views)],
            ['Sessions begun', count(totals.sessions)],
            ['Conversions', count(totals.conversions)],
            ['Value', totals.conversions ? amount(value, currencyOf(scope.site)) : DASH],
            ['Automated events', count(totals.automated_events)],
        ]);
        return { content, asOf: data.as_of };
    }
}

class BandsCard extends MinutesCard {
    protected readonly heading = 'Visitors by band, minute by minute';

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected draw({ data }: Answer<Minutes>): Shown {
        if (!data.minutes.some((one) => one.visitors)) {
            return {
                blank: {
                    kind: 'no-data',
                    text: 'Nobody in the last hour.',
                    hint: 'Minutes are kept for two days.',
                },
                asOf: data.as_of,
            };
        }
        const content = stackedBars({
            title: 'Visitors by band in each of the last 60 minutes',
            moment: minuteTime,
            columns: data.minutes.map((one) => ({
                at: Date.parse(one.started_at),
                parts: (['cold', 'warm', 'hot'] as const).map(
                    (name) => ({ name, value: one.bands[name] }),
                ),
            })),
        });
        return { content, asOf: data.as_of };
    }
}

interface Ranked {
    name: string;
    value: number;
}

function ranking(title: string, column: string, rows: Ranked[], total: number): HTMLElement {
    return table<Ranked>(
        title,
        [
            { title: column, cell: (row) => row.name },
            { title: 'Count', isNumber: true, cell: (row) => count(row.value) },
            {
                title: 'Share',
                isNumber: true,
                cell: (row) => {
                    const part = total ? row.value / total : 0;
                    return barred(part, share(part));
                },
            },
        ],
        rows,
    );
}

class PagesCard extends MinutesCard {
    protected readonly heading = 'Pages of the last hour';

    protected draw({ data }: Answer<Minutes>): Shown {
        const { pages, other_page_views: other, page_views: total } = data.totals;
        if (!pages.length) {
            return {
                blank: { kind: 'no-data', text: 'No page was viewed in the last hour.' },
                asOf: data.as_of,
            };
        }
        const rows = pages.slice(0, 10).map((one) => ({ name: one.path, value: one.page_views }));
        const rest = other + pages.slice(10).reduce((sum, one) => sum + one.page_views, 0);
        if (rest) rows.push({ name: '(other)', value: rest });
        return { content: ranking('Page views by page', 'Page', rows, total), asOf: data.as_of };
    }
}

class ChannelsCard extends MinutesCard {
    protected readonly heading = 'Channels of the last hour';

    protected draw({ data }: Answer<Minutes>): Shown {
        const rows = Object.entries(data.totals.channels)
            .map(([name, value]) => ({ name: name.replace(/_/g, ' '), value }))
            .sort((one, other) => other.value - one.value);
        if (!rows.length) {
            return {
                blank: { kind: 'no-data', text: 'No session began in the last hour.' },
                asOf: data.as_of,
            };
        }
        const total = rows.reduce((sum, row) => sum + row.value, 0);
        return {
            content: ranking('Sessions by channel', 'Channel', rows, total),
            asOf: data.as_of,
        };
    }
}

customElements.define('hg-hour', HourCard);
customElements.define('hg-bands', BandsCard);
customElements.define('hg-pages', PagesCard);
customElements.define('hg-channels', ChannelsCard);

export function page(): Node[] {
    return [
        h('hg-hour'),
        h(
            'div',
            { class: 'two' },
            h('div', { class: 'stack' }, h('hg-bands'), h('hg-pages'), h('hg-channels')),
            h('hg-live-list', { rows: '25' }),
        ),
    ];
}
