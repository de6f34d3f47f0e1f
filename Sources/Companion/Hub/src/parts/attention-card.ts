import { type Answer } from '../core/api';
import { h } from '../core/dom';
import { tell } from '../core/hub';
import type { Scope } from '../core/scope';
import { type Attention, attention, type Notice, putOff, takeBack } from './attention';
import { Card, type Shown } from './card';

const WORDS = { critical: 'Critical', warning: 'Warning', chance: 'Chance' };
const SHOWN = 5;

export class AttentionCard extends Card<Attention> {
    protected readonly heading = 'Needs attention';
    protected override readonly everyMilliseconds = 30_000;

    protected async load(scope: Scope, signal: AbortSignal): Promise<Answer<Attention>> {
        return { data: await attention(scope, signal), at: Date.now(), isKept: !navigator.onLine };
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected draw({ data }: Answer<Attention>): Shown {
        const list = h(
            'ul',
            { class: 'notices' },
            ...data.notices.slice(0, SHOWN).map((one) => this.row(one)),
        );
        const more = data.notices.length - SHOWN;
        const folded = Math.min(SHOWN, data.notices.length) - 1;
        const unfold = folded > 0 ? unfolder(list, folded) : null;
        const missing = data.missing.length
            ? h('p', { class: 'quiet' }, `Could not look at: ${data.missing.join(', ')}.`)
            : null;
        const none = data.notices.length
            ? null
            : h(
                'p',
                { class: 'calm' },
                data.missing.length ? 'Nothing in the rest.' : 'Nothing needs you now.',
            );
        const rest =
            more > 0 ? h('p', { class: 'quiet' }, `and ${more} more of less weight`) : null;
        return {
            content: h('div', {}, none, data.notices.length ? list : null, unfold, rest, missing),
        };
    }

    private row(notice: Notice): HTMLElement {
        const button = (word: string, forGood: boolean) =>
            h(
                'button',
                {
                    class: 'small quietly',
                    type: 'button',
                    'aria-label': `${word}: ${notice.title}`,
                    onclick: () => this.away(notice, forGood),
                },
                word,
            );
        return h(
            'li',
            { class: notice.severity },
            h('span', { class: 'severity' }, WORDS[notice.severity]),
            h('a', { href: notice.href, class: 'headline' }, notice.title),
            h('span', { class: 'why' }, notice.why),
            h('span', { class: 'acts' }, button('Snooze', false), button('Dismiss', true)),
        );
    }

    private away(notice: Notice, forGood: boolean): void {
        putOff(notice, forGood);
        (document.activeElement as HTMLElement | null)?.blur();
        const done = forGood
            ? 'Dismissed until it concerns twice as many.'
            : 'Snoozed for an hour.';
        const undo = h('button', { class: 'small', type: 'button' }, 'Undo');
        undo.addEventListener('click', () => {
            takeBack(notice);
            void this.refresh();
        });
        this.querySelector('.body')?.replaceChildren(h('p', { class: 'calm' }, `${done} `, undo));
        undo.focus();
        tell('say', done);
    }
}

/** A phone shows the first notice; the rest is behind a button: figures stay on the screen. */
function unfolder(list: HTMLElement, more: number): HTMLElement {
    list.classList.add('folded');
    const button = h('button', { class: 'small unfold', type: 'button' }, `${more} more`);
    button.addEventListener('click', () => {
        list.classList.remove('folded');
        button.remove();
        list.querySelectorAll<HTMLElement>('a')[1]?.focus();
    });
    return button;
}

customElements.define('hg-attention', AttentionCard);
