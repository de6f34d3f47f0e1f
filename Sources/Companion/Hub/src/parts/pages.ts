// A list that grows at its end by cursors: what is shown stays where it is.

import type { Answer } from '../core/api';
import { h } from '../core/dom';
import type { Page } from '../core/shapes';

export class Pages<T> {
    private rows: T[] = [];

    constructor(
        private readonly ask: (cursor: string, signal: AbortSignal) => Promise<Answer<Page<T>>>,
        private readonly draw: (rows: T[]) => HTMLElement,
    ) {}

    /** The first page, with a button for the next while there is one. */
    begin(page: Page<T>, signal: AbortSignal): HTMLElement {
        this.rows = page.items;
        const place = h('div', {});
        this.show(place, page.next_cursor, signal);
        return place;
    }

    private show(place: HTMLElement, cursor: string | null, signal: AbortSignal): void {
        const end = h(
            'p',
            { class: 'quiet' },
            `${this.rows.length} shown${cursor ? '' : ', all there are'}`,
        );
        place.replaceChildren(this.draw(this.rows), end);
        if (!cursor) return;
        const button = h('button', { type: 'button', class: 'small' }, 'Show more');
        button.addEventListener('click', () => void this.more(place, button, cursor, signal));
        place.append(button);
    }

    private async more(
        place: HTMLElement,
        button: HTMLButtonElement,
        cursor: string,
        signal: AbortSignal,
    ): Promise<void> {
        button.disabled = true;
        try {
            const { data } = await this.ask(cursor, signal);
            this.rows = [...this.rows, ...data.items];
            this.show(place, data.next_cursor, signal);
            place.querySelector<HTMLElement>('button')?.focus();
        } catch (error) {
            if (signal.aborted) return;
            button.disabled = false;
            const reason = error instanceof Error ? error.message : 'no answer';
            button.textContent = `Try again: ${reason}`;
        }
    }
}
