import { MEASUREMENT, PROFILING } from '../core/consent';
import type { Fields, Tracker } from '../core/tracker';
import type { Behaviour } from './behaviour';
import { extended, moveOf } from './moves';
import { reducedReferrer, reducedUrl } from './url';
import { wordsBelow } from './words';

const SETTLE_MILLISECONDS = 300;
const ROUTE_MILLISECONDS = 50;
const TITLE_CHARACTERS = 128;

/** How a page view came about: new, reload, back/forward, prerendered, from cache, soft. */
export type Arrival = 'n' | 'r' | 'b' | 'p' | 'c' | 's';

/** What counts as a new page in a single-page application. */
export type RoutePolicy = 'path' | 'search' | 'off';

export interface Pages {
    begin(arrival: Arrival): void;
    /** Makes sure that the page view is recorded before the page goes. */
    settle(): void;
    /** The site says that a new page is shown. */
    manual(): void;
    acted(): void;
}

interface NavigationLike extends EventTarget {
    currentEntry: { index: number } | null;
}

const navigationApi = (): NavigationLike | undefined =>
    (window as unknown as { navigation?: NavigationLike }).navigation;

export function firstArrival(prerendered: boolean): Arrival {
    const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    if (prerendered) return 'p';
    if (entry && entry.type === 'back_forward') return 'b';
    return entry && entry.type === 'reload' ? 'r' : 'n';
}

function viewFields(arrival: Arrival, referrer: string): Fields {
    return {
        u: reducedUrl(location.href), r: reducedReferrer(referrer) || undefined,
        ti: document.title.slice(0, TITLE_CHARACTERS), nt: arrival,
        h: document.documentElement.scrollHeight, wc: document.body ? wordsBelow(document.body) : 0,
    };
}

/**
 * Page views, soft ones included; `behaviour` is given by a function since it needs our `acted`.
 */
export function watchPages(
    tracker: Tracker, behaviour: () => Behaviour, policy: RoutePolicy): Pages {
    const { guard, identity } = tracker;
    let pending: (() => void) | null = null;
    let referrer = document.referrer;
    let shownUrl = '';
    let traversed = false;

    const routeKey = () => location.pathname + (policy === 'search' ? location.search : '');
    function step(): void {
        const entry = navigationApi()?.currentEntry;
        identity.tab.trail = extended(identity.tab.trail, {
            path: location.pathname, at: Date.now(), acts: 0, index: entry ? entry.index : -1,
        });
    }
    function reportMove(traversal: boolean): void {
        const move = moveOf(identity.tab.trail, traversal);
        if (move && tracker.allows(PROFILING)) tracker.emit('nv', { ...move });
    }
    function begin(arrival: Arrival): void {
        if (!tracker.allows(MEASUREMENT)) return;
        settle();
        identity.tab.p++;
        shownUrl = routeKey();
        step();
        behaviour().begin();
        const from = referrer;
        referrer = location.href;
        const traversal = traversed || arrival === 'b' || arrival === 'c';
        traversed = false;
        pending = () => {
            pending = null;
            tracker.emit('pv', viewFields(arrival, from), true);
            reportMove(traversal);
            behaviour().scan();
        };
        guard.idle('pages', SETTLE_MILLISECONDS, settle);
    }
    function settle(): void {
        if (pending) pending();
    }
    function routed(): void {
        if (policy === 'off' || !shownUrl || routeKey() === shownUrl) return;
        behaviour().leave();
        begin('s');
    }
    // The router sets the title after the address: wait a moment, and for the last of several.
    const route = guard.wrap('pages', () => void guard.later(ROUTE_MILLISECONDS, 'pages', routed));
    watchRoutes(route);
    guard.listen(window, 'popstate', 'pages', () => {
        traversed = true;
        route();
    });

    return {
        begin,
        settle,
        manual() {
            if (shownUrl) behaviour().leave();
            begin('s');
        },
        acted() {
            const { trail } = identity.tab;
            if (trail.length) trail[trail.length - 1].acts++;
        },
    };

    function watchRoutes(changed: () => void): void {
        const navigation = navigationApi();
        if (navigation) guard.listen(navigation, 'currententrychange', 'pages', changed);
        else wrapHistory(changed);
    }
}

/**
 * Where there is no Navigation API: calls through, never re-enters, and looks at the result only.
 */
function wrapHistory(changed: () => void): void {
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
}
