// The frame around every page: where one is, what is looked at, how fresh it is, and the keys.

import { get, Problem, setChangeToken } from './core/api';
import { h } from './core/dom';
import { clockTime, setZone } from './core/format';
import { follow, on, pause, paused, streamState, tell } from './core/hub';
import {
    goTo,
    knownSites,
    linkTo,
    onScope,
    RANGES,
    readScope,
    setSites,
    zoneOf,
} from './core/scope';
import type { Site } from './core/shapes';
import { startKeys } from './keys';
import { PAGES, type PageEntry } from './routes';
import { signInAddress } from './parts/state';

const STATE_WORDS = {
    connecting: 'Connecting…',
    live: 'Live',
    reconnecting: 'Reconnecting…',
    paused: 'Paused',
};
/** Spoken at most this often, so that a screen reader is not talked over. */
const SAY_MILLISECONDS = 30_000;

export class Shell extends HTMLElement {
    private readonly life = new AbortController();
    private readonly view = h('main', { id: 'view', tabindex: '-1' });
    private readonly status = h('p', { class: 'unseen', role: 'status' });
    private readonly banner = h('div', { class: 'banner', hidden: true });
    private readonly navigation = h('nav', { 'aria-label': 'Pages' });
    private readonly sites = h('select', { 'aria-label': 'Site' });
    private readonly ranges = h('select', { 'aria-label': 'Period' });
    private readonly compares = h('select', { 'aria-label': 'Comparison' });
    private readonly light = h('span', { class: 'light' });
    private readonly pauseButton = h('button', { type: 'button', class: 'small' }, 'Pause');
    private shown = '';
    private saidAt = 0;

    connectedCallback(): void {
        this.replaceChildren(
            h(
                'a',
                { class: 'skip', href: '#view', onclick: (event) => this.skip(event) },
                'Skip to the page',
            ),
            this.top(),
            h(
                'div',
                { class: 'frame' },
                this.navigation,
                h('div', { class: 'column' }, this.banner, this.view),
            ),
            this.status,
        );
        const { signal } = this.life;
        onScope(() => this.render(), signal);
        on('state', () => this.showState(), signal);
        on('say', (text) => this.say(text, true), signal);
        window.addEventListener('online', () => this.connected(true), { signal });
        window.addEventListener('offline', () => this.connected(false), { signal });
        startKeys(signal);
        void this.begin(signal);
    }

    /** Sites, and what a question must send along, are known before anything is asked. */
    private async begin(signal: AbortSignal): Promise<void> {
        // The page's module comes while the companion answers.
        entry(readScope().page).load().catch(() => undefined);
        const [sites] = await Promise.all([this.readSites(signal), this.readCaller(signal)]);
        setSites(sites);
        this.render();
        this.connected(navigator.onLine);
    }

    private async readSites(signal: AbortSignal): Promise<readonly Site[]> {
        try {
            return (await get<{ sites: Site[] }>('/sites', signal)).data.sites;
        } catch (error) {
            if (error instanceof Problem && error.status === 401) this.askToSignIn();
            // A companion without the route: the address says which site, else the one of `up`.
            return [{ name: 'demo', time_zone: 'UTC', currency: '' }];
        }
    }

    private async readCaller(signal: AbortSignal): Promise<void> {
        try {
            const { data } = await get<{ csrf?: string }>('/me', signal);
            setChangeToken(data.csrf ?? null);
        } catch {
            // A companion without access control has nobody to name.
        }
    }

    // MARK: - The header

    private top(): HTMLElement {
        this.sites.onchange = () => goTo({ site: this.sites.value });
        this.ranges.replaceChildren(
            ...RANGES.map((one) => h('option', { value: one.key }, one.title)),
        );
        this.ranges.onchange = () => goTo({ range: this.ranges.value });
        this.compares.replaceChildren(
            h('option', { value: 'previous' }, 'vs previous'),
            h('option', { value: 'none' }, 'not compared'),
        );
        this.compares.onchange = () => goTo({ compares: this.compares.value !== 'none' });
        this.pauseButton.onclick = () => pause(!paused());
        const help = () => document.dispatchEvent(new CustomEvent('hub-commands'));
        return h(
            'header',
            { class: 'top' },
            h('a', { class: 'brand', href: '#/overview' },
                h(
                    'img',
                    { src: 'mark.svg', alt: '', width: '24', height: '24' },
                ), h('span', {}, 'Heliograph')),
            h('div', { class: 'scope' }, this.sites, this.ranges, this.compares),
            h('div', { class: 'fresh' }, this.light, this.pauseButton,
                h(
                    'button',
                    {
                        type: 'button',
                        class: 'small',
                        onclick: help,
                        'aria-keyshortcuts': 'Control+K',
                    },
                    'Commands',
                )),
        );
    }

    private showScope(): void {
        const scope = readScope();
        const names = [
            ...new Set([...knownSites().map((one) => one.name), scope.site]),
        ].filter(Boolean);
        this.sites.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
        this.sites.value = scope.site;
        this.ranges.value = scope.range.key;
        this.compares.value = scope.compares ? 'previous' : 'none';
        const usesRange = entry(scope.page).usesRange;
        this.ranges.hidden = !usesRange;
        this.compares.hidden = !usesRange;
        setZone(zoneOf(scope.site) ?? 'UTC');
        follow(scope.site);
    }

    private showState(): void {
        const { state, at } = streamState();
        this.light.className = `light ${state}`;
        const to = at && state !== 'live' ? ` to ${clockTime(at)}` : '';
        this.light.textContent = STATE_WORDS[state] + to;
        this.pauseButton.textContent = paused() ? 'Go on' : 'Pause';
        if (state === 'reconnecting') this.say('The live stream is being connected anew.');
    }

    // MARK: - Pages

    private render(): void {
        const scope = readScope();
        this.showScope();
        this.showNavigation(scope.page);
        this.showState();
        const key = `${scope.page}/${scope.rest}`;
        if (key === this.shown) return;
        const isFirst = this.shown === '';
        this.shown = key;
        void this.open(entry(scope.page), isFirst, key);
    }

    private async open(page: PageEntry, isFirst: boolean, key: string): Promise<void> {
        const name = (readScope().rest && page.oneTitle) || page.title;
        document.title = `${name} · Heliograph`;
        const title = h('h1', { tabindex: '-1' }, name);
        let nodes: Node[];
        try {
            nodes = (await page.load()).page();
        } catch {
            nodes = [
                h(
                    'p',
                    { class: 'card blank error' },
                    'This page could not be loaded. Is the companion there?',
                ),
            ];
        }
        if (this.shown !== key) return;
        this.view.replaceChildren(title, ...nodes);
        if (isFirst) return;
        scrollTo(0, 0);
        title.focus();
    }

    private showNavigation(page: string): void {
        const items = PAGES.map((one) =>
            h('li', {}, h('a', {
                href: linkTo({ page: one.name }),
                'aria-current': one.name === entry(page).name ? 'page' : null,
            }, one.title)));
        if (!this.navigation.firstElementChild) this.navigation.append(h('ul', {}));
        const list = this.navigation.firstElementChild!;
        if (this.navigation.contains(document.activeElement)) {
            // The focus stays where it is: only what changed is written.
            items.forEach(
                (item, index) => refit(
                    list.children[index]!.firstElementChild!,
                    item.firstElementChild!,
                ),
            );
        } else list.replaceChildren(...items);
        // On a phone the list is wider than the screen.
        const current = list.querySelector('[aria-current]');
        current?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
    }

    private skip(event: Event): void {
        // The address holds the scope, so that it cannot be a target.
        event.preventDefault();
        this.view.focus();
    }

    // MARK: - What is said

    private say(text: string, isAtOnce = false): void {
        if (!isAtOnce && Date.now() - this.saidAt < SAY_MILLISECONDS) return;
        this.saidAt = Date.now();
        this.status.textContent = text;
    }

    private connected(isOnline: boolean): void {
        if (isOnline && this.banner.classList.contains('offline')) {
            this.banner.hidden = true;
            tell('refresh', null);
        }
        if (isOnline) return;
        this.banner.className = 'banner offline';
        this.banner.replaceChildren(
            'No network. Figures are those that were read last; each says when.',
        );
        this.banner.hidden = false;
    }

    private askToSignIn(): void {
        this.banner.className = 'banner';
        this.banner.replaceChildren(
            'You are not signed in. ',
            h('a', { href: signInAddress() }, 'Sign in'),
        );
        this.banner.hidden = false;
    }
}

function entry(name: string): PageEntry {
    return PAGES.find((one) => one.name === name) ?? PAGES[0]!;
}

function refit(old: Element, fresh: Element): void {
    for (const name of ['href', 'aria-current']) {
        const value = fresh.getAttribute(name);
        if (value === null) old.removeAttribute(name);
        else old.setAttribute(name, value);
    }
}
