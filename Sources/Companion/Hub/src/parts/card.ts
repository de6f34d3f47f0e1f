// A card: asks for its own data, shows its own state, fails alone. Pages are made of these.

import { type Answer, Problem } from '../core/api';
import { freshId, h, isInUse } from '../core/dom';
import { fullTime, moment } from '../core/format';
import { on } from '../core/hub';
import { onScope, readScope, type Scope } from '../core/scope';
import { type Blank, blank } from './state';

/** What a card has to show: content, or why there is none. */
export type Shown = { content: Node; asOf?: number } | { blank: Blank; asOf?: number };

const SKELETON_MILLISECONDS = 150;
const STALE_MILLISECONDS = 60_000;

export abstract class Card<T> extends HTMLElement {
    protected abstract readonly heading: string;
    protected readonly level: 'h2' | 'h3' = 'h2';
    /** Asks again this often while the page is looked at; 0 never does. */
    protected readonly everyMilliseconds: number = 0;
    /** Whether another site or range is another question. */
    protected readonly followsScope: boolean = true;

    /** Everything that must end when the card leaves the page. */
    protected life = new AbortController();
    /** The question under way. */
    private question = new AbortController();
    private body = h('div', { class: 'body' });
    private stamp = h('span', { class: 'stamp' });
    private answeredAt = 0;
    private scopeKey = '';

    protected abstract load(scope: Scope, signal: AbortSignal): Promise<Answer<T>>;
    protected abstract draw(answer: Answer<T>, scope: Scope): Shown;
    /** What stands at the right of the heading. */
    protected tools(): Node[] {
        return [];
    }

    connectedCallback(): void {
        this.life = new AbortController();
        const id = freshId('card');
        this.classList.add('card');
        this.setAttribute('role', 'group');
        this.setAttribute('aria-labelledby', id);
        const title = h(this.level, { id, class: 'title' }, this.heading);
        this.replaceChildren(
            h('header', {}, title, h('span', { class: 'tools' }, ...this.tools(), this.stamp)),
            this.body,
        );
        const { signal } = this.life;
        if (this.followsScope) onScope(() => this.scopeChanged(), signal);
        on('refresh', () => void this.refresh(), signal);
        on('gap', () => void (this.everyMilliseconds && this.refresh()), signal);
        if (this.everyMilliseconds) this.repeat(signal);
        this.started(signal);
        this.scopeKey = keyOf(readScope());
        void this.refresh();
    }

    disconnectedCallback(): void {
        this.life.abort();
        this.question.abort();
    }

    /** For what a card listens to besides. */
    protected started(_signal: AbortSignal): void {}

    private repeat(signal: AbortSignal): void {
        const timer = setInterval(() => {
            if (document.visibilityState === 'visible') void this.refresh();
        }, this.everyMilliseconds);
        signal.addEventListener('abort', () => clearInterval(timer));
        const look = () => {
            const isOld = Date.now() - this.answeredAt > this.everyMilliseconds;
            if (document.visibilityState === 'visible' && isOld) void this.refresh();
        };
        document.addEventListener('visibilitychange', look, { signal });
    }

    /** Figures of another scope must not stand under the new one's name. */
    private scopeChanged(): void {
        const key = keyOf(readScope());
        if (key === this.scopeKey) return;
        this.scopeKey = key;
        this.body.replaceChildren();
        this.stamp.textContent = '';
        this.answeredAt = 0;
        void this.refresh();
    }

    async refresh(): Promise<void> {
        this.question.abort();
        const question = new AbortController();
        this.question = question;
        const slow = setTimeout(() => this.showLoading(), SKELETON_MILLISECONDS);
        this.setAttribute('aria-busy', 'true');
        try {
            const scope = readScope();
            const answer = await this.load(scope, question.signal);
            if (!question.signal.aborted) this.take(answer, scope);
        } catch (error) {
            if (!question.signal.aborted) this.fail(error);
        } finally {
            clearTimeout(slow);
            if (this.question === question) this.removeAttribute('aria-busy');
        }
    }

    private showLoading(): void {
        if (this.answeredAt === 0 && this.body.childElementCount === 0) {
            this.body.replaceChildren(h('div', { class: 'skeleton' }));
        }
    }

    private take(answer: Answer<T>, scope: Scope): void {
        const shown = this.draw(answer, scope);
        const node = 'blank' in shown ? blank(
            shown.blank,
            () => void this.refresh(),
        ) : shown.content;
        // What is under the pointer or has the focus stays; a button says that there is news.
        if (this.answeredAt && isInUse(this.body) && this.keepsWhenUsed()) this.hold(node);
        else this.replace(node);
        this.answeredAt = answer.at;
        this.mark(shown.asOf ?? answer.at, answer.isKept);
    }

    /** Lists do: a row that jumps is a wrong click. */
    protected keepsWhenUsed(): boolean {
        return false;
    }

    private hold(node: Node): void {
        this.querySelector('.held')?.remove();
        const show = () => {
            this.replace(node);
            this.querySelector('.held')?.remove();
        };
        const button = h('button', { class: 'held small', type: 'button', onclick: show }, 'Newer');
        this.querySelector('header .tools')?.prepend(button);
    }

    private replace(node: Node): void {
        this.querySelector('.held')?.remove();
        this.body.replaceChildren(node);
    }

    private mark(asOf: number, isKept: boolean): void {
        const isStale = isKept || Date.now() - asOf > STALE_MILLISECONDS;
        this.classList.toggle('stale', isStale);
        this.stamp.textContent = isKept ? `offline · as of ${moment(asOf)}` : moment(asOf);
        this.stamp.title = `As of ${fullTime(asOf)}`;
    }

    /** A figure that was right a moment ago stays, greyed; without one the error stands there. */
    private fail(error: unknown): void {
        const problem = error instanceof Problem ? error : unexpected(error);
        if (this.answeredAt && problem.status !== 401) {
            this.classList.add('stale');
            this.stamp.textContent = `${problem.title} · as of ${moment(this.answeredAt)}`;
            return;
        }
        this.replace(blank({ kind: 'error', problem }, () => void this.refresh()));
        this.stamp.textContent = '';
    }
}

function unexpected(error: unknown): Problem {
    const text = error instanceof Error ? error.message : String(error);
    return new Problem(0, 'hub-failure', 'The Hub failed here', text, '', null);
}

function keyOf(scope: Scope): string {
    const { page, rest, site, range, compares } = scope;
    return JSON.stringify([page, rest, site, range.key, compares, [...scope.own]]);
}
