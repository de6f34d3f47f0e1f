import '../parts/attention-card';
import '../parts/kpi';
import '../parts/live-list';
import '../parts/start';
import '../parts/trend';
import { h } from '../core/dom';
import { FIGURES } from '../parts/query';
import { engines } from '../parts/engines';

export function page(): Node[] {
    const figures = FIGURES.map((one) => h('hg-kpi', { metric: one.metric }));
    return [
        h('hg-start'),
        h('hg-attention'),
        h(
            'div',
            { class: 'two' },
            h('div', { class: 'stack' }, h('div', { class: 'kpis' }, ...figures), h('hg-trend')),
            h('hg-live-list', { rows: '10' }),
        ),
        engines(),
    ];
}
