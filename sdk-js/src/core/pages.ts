import type { Fields } from '../outside';
import { MEASUREMENT } from './bits';
import type { Config } from './config';
import { isOff } from './config';
import { ROUTE_MILLISECONDS, SETTLE_MILLISECONDS, TITLE_CHARACTERS } from './limits';
import { browser, round } from './natives';
import type { Site } from './site';
import type { Tracker } from './tracker';
import { reducedReferrer, reducedUrl } from './url';

/** How a page view came about: new, reload, back/forward, prerendered, from cache, soft. */
export type Arrival = 'n' | 'r' | 'b' | 'p' | 'c' | 's';

export interface Pages {
    begin(arrival: Arrival): void;
    /** Makes sure that the page view is recorded before the page goes. */
    settle(): void;
    /** The site says that a new page is shown. */
    manual(): void;
}

/** The browser's Navigation API, where there is one. */
export const navigationApi = () => (window as unknown as typeof browser).navigation;

export const firstArrival = (prerendered: boolean): Arrival => {
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    const type = entry ? entry.type[0] : 'n';
    return prerendered ? 'p' : /[br]/.test(type) ? type as Arrival : 'n';
};

const viewFields = (arrival: Arrival, referrer: string, words: Site['words']): Fields => {
    const { body, documentElement, title } = document;
    return {
        u: reducedUrl(location.href), r: reducedReferrer(referrer) || undefined,
        ti: title.slice(0, TITLE_CHARACTERS), nt: arrival,
        h: round(documentElement.scrollHeight), wc: words && body ? words(body) : undefined,
    };
};

/** Page views, soft ones included. */
export const watchPages = (site: Site, tracker: Tracker, { options }: Config): Pages => {
    const { guard, identity } = tracker;
    let pending: (() => void) | null = null;
    let referrer = document.referrer;
    let shownUrl = '';
    let traversed = false;

    const { spa } = options;
    const routeKey = () => location.pathname + (spa === 'search' ? location.search : '');
    function begin(arrival: Arrival): void {
        if (!tracker.allows(MEASUREMENT)) return;
        settle();
        identity.tab.p++;
        shownUrl = routeKey();
        const told = site.entered?.(traversed || arrival === 'b' || arrival === 'c');
        site.behaviour.begin();
        const from = referrer;
        referrer = location.href;
        traversed = false;
        pending = () => {
            pending = null;
            tracker.emit('pv', viewFields(arrival, from, site.words), true);
            told?.();
            site.behaviour.scan();
        };
        guard.idle('pages', SETTLE_MILLISECONDS, settle);
    }
    function settle(): void {
        pending?.();
    }
    function routed(): void {
        if (isOff(spa) || !shownUrl || routeKey() === shownUrl) return;
        site.behaviour.leave();
        begin('s');
    }
    // The router sets the title after the address: wait a moment, and for the last of several.
    const route = guard.wrap('pages', () => void guard.later(ROUTE_MILLISECONDS, 'pages', routed));
    const navigation = navigationApi();
    if (navigation) guard.listen(navigation, 'currententrychange', 'pages', route);
    else wrapHistory(route);
    guard.listen(window, 'popstate', 'pages', () => {
        traversed = true;
        route();
    });

    return {
        begin,
        settle,
        manual() {
            if (shownUrl) site.behaviour.leave();
            begin('s');
        },
    };
};

/**
 * Where there is no Navigation API: calls through, never re-enters, and looks at the result only.
 */
const wrapHistory = (changed: () => void): void => {
    let inside = false;
    for (const name of ['pushState', 'replaceState'] as const) {
        const original = history[name];
        history[name] = function (this: History, ...given: Parameters<History['pushState']>) {
            if (inside) return original.apply(this, given);
            inside = true;
            try {
                return original.apply(this, given);
            } finally {
                inside = false;
                changed();
            }
        };
    }
};
