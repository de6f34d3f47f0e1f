// Forms field by field: how far people get, where it goes wrong, where they leave.

import { type Answer, get } from '../core/api';
import { h } from '../core/dom';
import { count, DASH, duration, share, words } from '../core/format';
import type { Scope } from '../core/scope';
import type { Form, FormField, Worth } from '../core/shapes';
import { Card, type Shown } from './card';
import { barred } from './figures';
import { asOf, spanOf } from './query';
import { table } from './table';

type Forms = { forms: Form[]; meta: Worth };

const FORMS = 6;

class FormsCard extends Card<Forms> {
    protected readonly heading = 'Forms, field by field';

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Forms>> {
        const site = encodeURIComponent(scope.site);
        return get(`/sites/${site}/forms?${spanOf(scope)}`, signal);
    }

    protected draw({ data }: Answer<Forms>, scope: Scope): Shown {
        if (!data.forms.length) {
            const text = `No form was begun in “${scope.range.title.toLowerCase()}”.`;
            const hint = 'The script sees forms by itself; data-form names one.';
            return { blank: { kind: 'no-data', text, hint }, asOf: asOf(data) };
        }
        const content = h(
            'div',
            { class: 'stack' },
            ...data.forms.slice(0, FORMS).map(form),
            h(
                'p',
                { class: 'quiet' },
                'A use is a page view on which the form was begun. Left here: the last field that was '
                + 'told of a use that ended without being submitted.',
            ),
        );
        return { content, asOf: asOf(data) };
    }
}

function form(one: Form): HTMLElement {
    const rate = one.submit_rate === null ? DASH : share(one.submit_rate);
    const time = (value: number | null) => (value === null ? DASH : duration(value));
    return h(
        'section',
        {},
        h('h3', { class: 'title' }, words(one.form) || 'Form'),
        h('p', {}, `${count(one.begun)} uses, ${count(one.submitted)} submitted (${rate})`),
        table<FormField>(
            `Fields of ${one.form}, in the order in which they are filled in`,
            [
                { title: 'Field', cell: (field) => field.field },
                {
                    title: 'Reached',
                    isNumber: true,
                    cell: (field) => barred(field.reached_rate ?? 0, count(field.reached)),
                },
                { title: 'Errors', isNumber: true, cell: (field) => count(field.errors) },
                { title: 'Returns', isNumber: true, cell: (field) => count(field.returns) },
                { title: 'Time', isNumber: true, cell: (field) => time(field.time_avg_ms) },
                { title: 'Left here', isNumber: true, cell: (field) => count(field.left_here) },
            ],
            one.fields,
        ),
    );
}

customElements.define('hg-forms', FormsCard);
