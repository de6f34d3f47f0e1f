// Shortcuts, and the list of all commands. Single keys can be switched off in Settings.

import { freshId, h } from './core/dom';
import { pause, paused, tell } from './core/hub';
import { setTheme, shortcutsAreOn, theme } from './core/memory';
import { goTo, RANGES, readScope } from './core/scope';
import { PAGES } from './routes';

interface Command {
    title: string;
    keys: string;
    run(): void;
}

function commands(): Command[] {
    return [
        ...PAGES.map(
            (one) => ({
                title: `Go to ${one.title}`,
                keys: `g ${one.key}`,
                run: () => goTo({ page: one.name }),
            }),
        ),
        ...RANGES.map(
            (one) => ({
                title: `Period: ${one.title}`,
                keys: one.shortcut,
                run: () => goTo({ range: one.key }),
            }),
        ),
        {
            title: 'Compare with the time before',
            keys: 'x',
            run: () => goTo({ compares: !readScope().compares }),
        },
        { title: 'Pause or go on with live updates', keys: 'p', run: () => pause(!paused()) },
        { title: 'Read everything anew', keys: 'r', run: () => tell('refresh', null) },
        { title: 'Light or dark', keys: 'm', run: switchTheme },
        { title: 'Find a visitor or an event', keys: '/', run: () => open('') },
        { title: 'All commands', keys: '?', run: () => open('') },
    ];
}

function switchTheme(): void {
    const isSystemDark = matchMedia('(prefers-color-scheme: dark)').matches;
    const isDark = theme() === 'dark' || (theme() === 'system' && isSystemDark);
    setTheme(isDark ? 'light' : 'dark');
    tell('say', isDark ? 'Light theme.' : 'Dark theme.');
}

const PREFIX_MILLISECONDS = 1_500;

export function startKeys(signal: AbortSignal): void {
    let prefix = '';
    let until = 0;
    document.addEventListener('hub-commands', () => open(''), { signal });
    document.addEventListener('keydown', (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
            event.preventDefault();
            return open('');
        }
        if (!isShortcut(event)) return;
        const typed = Date.now() < until ? `${prefix} ${event.key}` : event.key;
        const found = commands().find((one) => one.keys === typed);
        prefix = found ? '' : event.key;
        until = found ? 0 : Date.now() + PREFIX_MILLISECONDS;
        if (!found) return;
        event.preventDefault();
        found.run();
    }, { signal });
}

function isShortcut(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey || !shortcutsAreOn()) return false;
    if (document.querySelector('dialog[open]')) return false;
    const target = event.target as HTMLElement;
    return !target.closest('input, select, textarea, [contenteditable]');
}

// MARK: - The list

const ID = /^[!-~]{1,200}$/;

/** A list to choose from by typing; whatever else is typed is taken for an id. */
function open(text: string): void {
    if (document.querySelector('dialog.commands')) return;
    const title = freshId('commands');
    const listId = freshId('list');
    const input = h('input', {
        type: 'text', role: 'combobox', 'aria-controls': listId, 'aria-expanded': 'true',
        'aria-autocomplete': 'list',
        'aria-labelledby': title,
        autocomplete: 'off',
        spellcheck: 'false',
        placeholder: 'A command, a visitor’s id, or an event’s', value: text,
    });
    const list = h('ul', { id: listId, role: 'listbox', 'aria-label': 'Commands' });
    const box = h('dialog', { class: 'commands', 'aria-labelledby': title },
        h('h2', { id: title, class: 'title' }, 'Commands'), input, list,
        h('p', { class: 'quiet' }, '↑ ↓ choose · Enter does it · Esc closes'));
    const before = document.activeElement as HTMLElement | null;
    const choice = new Choice(input, list, () => box.close());
    input.addEventListener('input', () => choice.show());
    input.addEventListener('keydown', (event) => choice.key(event));
    box.addEventListener('close', () => {
        box.remove();
        // A command that went to another page has put the focus there.
        if (document.activeElement === document.body) before?.focus();
    });
    document.body.append(box);
    box.showModal();
    input.focus();
    choice.show();
}

class Choice {
    private found: Command[] = [];
    private place = 0;

    constructor(
        private readonly input: HTMLInputElement,
        private readonly list: HTMLElement,
        private readonly close: () => void,
    ) {}

    show(): void {
        const text = this.input.value.trim();
        const words = text.toLowerCase().split(/\s+/);
        this.found = commands().filter(
            (one) => words.every((word) => one.title.toLowerCase().includes(word)),
        );
        if (text && ID.test(text)) this.found.push(...byId(text));
        this.place = 0;
        const items = this.found.map((one, index) =>
            h('li', {
                role: 'option',
                id: `${this.list.id}-${index}`,
                onclick: () => this.run(index),
            },
                h('span', {}, one.title), one.keys ? h('kbd', {}, one.keys) : null));
        this.list.replaceChildren(...items);
        this.mark();
    }

    key(event: KeyboardEvent): void {
        const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
        const step = steps[event.key];
        if (event.key === 'Enter') this.run(this.place);
        if (step === undefined) return;
        event.preventDefault();
        const last = this.found.length - 1;
        this.place = Math.min(last, Math.max(0, this.place + step));
        this.mark();
    }

    private mark(): void {
        [...this.list.children].forEach((item, index) => {
            item.setAttribute('aria-selected', String(index === this.place));
        });
        const chosen = this.list.children[this.place];
        if (chosen) this.input.setAttribute('aria-activedescendant', chosen.id);
        else this.input.removeAttribute('aria-activedescendant');
        chosen?.scrollIntoView({ block: 'nearest' });
    }

    private run(index: number): void {
        const command = this.found[index];
        if (!command) return;
        this.close();
        command.run();
    }
}

function byId(id: string): Command[] {
    return [
        { title: `Visitor ${id}`, keys: '', run: () => goTo({ page: 'visitors', rest: id }) },
        {
            title: `Where is event ${id}`,
            keys: '',
            run: () => goTo({ page: 'quality', own: { event: id } }),
        },
    ];
}
