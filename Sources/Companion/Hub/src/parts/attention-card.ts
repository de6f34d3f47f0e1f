import { type Answer } from '../core/api';
import { h } from '../core/dom';
import { tell } from '../core/hub';
import { readScope, type Scope } from '../core/scope';
import {
    type Act,
    addressOf,
    type Attention,
    attention,
    type Notice,
    put,
    takeBack,
} from './attention';
import { Card, type Shown } from './card';

const WORDS = { critical: 'Critical', warning: 'Warning', chance: 'Chance' };
const SHOWN = 5;
const ACTS: Record<Act, { word: string; said: string }> = {
    snooze: { word: 'Snooze', said: 'Snoozed for an hour.' },
    dismiss: { word: 'Dismiss', said: 'Dismissed until it concerns twice as many.' },
    done: { word: 'Done', said: 'Done. It comes back if it still holds later.' },
};

export class AttentionCard extends Card<Attention> {
    protected readonly heading = 'Needs attention';
    protected override readonly everyMilliseconds = 30_000;

    protected load(scope: Scope, signal: AbortSignal): Promise<Answer<Attention>> {
        return attention(scope, signal);
    }

    protected override keepsWhenUsed(): boolean {
        return true;
    }

    protected draw({ data }: Answer<Attention>): Shown {
        const list = h(
            'ul',
            { class: 'notices' },
            ...data.cards.slice(0, SHOWN).map((one) => this.row(one)),
        );
        const more = data.cards.length - SHOWN;
        const folded = Math.min(SHOWN, data.cards.length) - 1;
        const unfold = folded > 0 ? unfolder(list, folded) : null;
        const missing = data.missing.length
            ? h('p', { class: 'quiet' }, `Could not look at: ${data.missing.join(', ')}.`)
            : null;
        const none = data.cards.length
            ? null
            : h(
                'p',
                { class: 'calm' },
                data.missing.length ? 'Nothing in the rest.' : 'Nothing needs you now.',
            );
        const rest =
            more > 0 ? h('p', { class: 'quiet' }, `and ${more} more of less weight`) : null;
        const away = data.put_away
            ? h('p', { class: 'quiet' }, `${data.put_away} put away`)
            : null;
        const shown = data.cards.length ? list : null;
        return {
            content: h('div', {}, none, shown, unfold, rest, away, missing),
            asOf: Date.parse(data.as_of),
        };
    }

    private row(notice: Notice): HTMLElement {
        const button = (act: Act) =>
            h(
                'button',
                {
                    class: 'small quietly',
                    type: 'button',
                    'aria-label': `${ACTS[act].word}: ${notice.title}`,
                    onclick: () => void this.away(notice, act),
                },
                ACTS[act].word,
            );
        return h(
            'li',
            { class: notice.severity },
            h('span', { class: 'severity' }, WORDS[notice.severity]),
            h('a', { href: addressOf(notice), class: 'headline' }, notice.title),
            h('span', { class: 'why' }, notice.why),
            h('span', { class: 'acts' }, ...(Object.keys(ACTS) as Act[]).map(button)),
        );
    }

    private async away(notice: Notice, act: Act): Promise<void> {
        const { site } = readScope();
        try {
            await put(notice, site, act);
        } catch (error) {
            tell('say', `Not done: ${error instanceof Error ? error.message : 'no answer'}`);
            return;
        }
        (document.activeElement as HTMLElement | null)?.blur();
        const undo = h('button', { class: 'small', type: 'button' }, 'Undo');
        undo.addEventListener('click', () => {
            void takeBack(notice, site).finally(() => this.refresh());
        });
        const { said } = ACTS[act];
        this.querySelector('.body')?.replaceChildren(h('p', { class: 'calm' }, `${said} `, undo));
        undo.focus();
        tell('say', said);
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
