import type { Api, Call } from './api';
import { makeApi } from './api';
import type { Behaviour } from './collect/behaviour';
import { watchBehaviour } from './collect/behaviour';
import type { Pages } from './collect/pages';
import { firstArrival, watchPages } from './collect/pages';
import type { Config } from './core/config';
import { configOf } from './core/config';
import { effectiveConsent, globalPrivacyControl, MEASUREMENT, STORAGE } from './core/consent';
import { makeGuard } from './core/guard';
import { makeIdentity } from './core/identity';
import { makeOutbox } from './core/outbox';
import { watchSignals } from './core/signals';
import { cookieShelf, localShelf, tabShelf } from './core/storage';
import type { Tracker } from './core/tracker';
import { makeTracker } from './core/tracker';
import { makeTransport } from './core/transport';

type Stub = ((...given: unknown[]) => void) & { q?: Call[]; ready?: boolean };
type Host = Window & { hg?: Stub };

function makeTools(config: Config): Tracker {
    const guard = makeGuard((collector, kind) =>
        tracker.emit('cu', { name: 'hg_error', props: { collector, kind } }));
    const outbox = makeOutbox();
    const transport = makeTransport(config.endpoint, outbox, {
        fetch: (url, init) => window.fetch(url, init),
        beacon: (url, body) => {
            try {
                return navigator.sendBeacon(url, body);
            } catch {
                return false;
            }
        },
        epoch: Date.now,
        monotonic: () => performance.now(),
        random: Math.random,
        later: (milliseconds, action) => void guard.later(milliseconds, 'transport', action),
    });
    const identity = makeIdentity(config.siteKey, {
        cookie: cookieShelf, local: localShelf, tab: tabShelf,
    });
    if (config.consent & STORAGE) identity.allowStorage();
    guard.listen(window, 'online', 'transport', transport.resume);
    const signals = watchSignals(window as object, () => {
        tracker.seal();
        tracker.emit('cs', { bits: tracker.consent, src: 'tcf' }, true);
    });
    const tracker = makeTracker({
        siteKey: config.siteKey, guard, identity, outbox, transport, signals,
        consent: config.consent,
    });
    return tracker;
}

/** Hands everything to the browser when the page hides or goes; never on `unload`. */
function watchLifecycle(tracker: Tracker, pages: Pages, behaviour: Behaviour): void {
    const { guard, identity } = tracker;
    let gone = false;

    guard.listen(document, 'visibilitychange', 'lifecycle', () => {
        if (gone) return;
        const hidden = document.visibilityState === 'hidden';
        if (hidden) pages.settle();
        behaviour.shown();
        if (!hidden) return;
        behaviour.summarise(true);
        tracker.handOver(false);
    });
    guard.listen(window, 'pagehide', 'lifecycle', () => {
        gone = true;
        pages.settle();
        behaviour.leave();
        tracker.handOver(true);
        identity.leave();
    });
    guard.listen(window, 'pageshow', 'lifecycle', (event: PageTransitionEvent) => {
        gone = false;
        if (!event.persisted) return;
        identity.enter();
        tracker.flush();
        pages.begin('c');
    });
}

function start(config: Config, host: Host, prerendered: boolean): void {
    const tracker = makeTools(config);
    let behaviour: Behaviour;
    const pages = watchPages(tracker, () => behaviour, config.routes);
    behaviour = watchBehaviour(tracker, pages.acted);
    watchLifecycle(tracker, pages, behaviour);
    const api: Api
        = makeApi(tracker, pages, behaviour, { key: choiceKey(config), shelf: localShelf });
    const run = tracker.guard.wrap('api', api.run);
    const queued = (host.hg && host.hg.q) || [];
    const isConsent = (call: Call) => call[1][0] === 'consent';
    pages.begin(firstArrival(prerendered));
    if (config.consentIsNews) tracker.emit('cs', { bits: config.consent, src: 'api' });
    queued.filter((call) => !isConsent(call)).forEach(run);
    host.hg = (...given) => run([Date.now(), given]);
    host.hg.ready = true;
}

const choiceKey = (config: Config) => `_hg.${config.siteKey}.c`;

/**
 * The bits to begin with, less what the browser refuses: what was chosen before the script came,
 * else what was chosen on an earlier page, else the tag's default.
 */
function applyConsent(config: Config, queue: Call[]): void {
    const calls = queue.filter(([, given]) => given[0] === 'consent' && Number(given[1]) >= 0);
    const told = calls.length ? Number(calls[calls.length - 1][1][1]) & 63 : -1;
    const chosen = localShelf.read(choiceKey(config));
    const wanted = told >= 0 ? told : chosen === null ? config.consent : Number(chosen);
    if (told >= 0) localShelf.write(choiceKey(config), String(told));
    config.consent = effectiveConsent(wanted, globalPrivacyControl());
    // A refusal before anything was sent needs no beacon of its own.
    config.consentIsNews
        = told >= 0 && String(told) !== chosen && (config.consent & MEASUREMENT) > 0;
}

/** Values that `hg('config', …)` was called with before the script came. */
function applyQueuedConfig(config: Config, queue: Call[]): void {
    for (const [, given] of queue) {
        const values = given[0] === 'config' ? (given[1] as Partial<Config>| undefined) : undefined;
        if (!values) continue;
        if (typeof values.consent === 'number') config.consent = values.consent & 63;
        if (values.routes) config.routes = values.routes;
    }
}

/** The tag that this very script was loaded by. */
function ownTag(): HTMLScriptElement | null {
    return (document.currentScript || document.querySelector('script[data-key]')) as
        HTMLScriptElement | null;
}

function boot(): void {
    const host = window as Host;
    const script = ownTag();
    const config = script && configOf(script);
    if (!config || (host.hg && host.hg.ready)) return;
    const stub: Stub = host.hg || function (...given: unknown[]) {
        (stub.q = stub.q || []).push([Date.now(), given]);
    };
    host.hg = stub;
    stub.ready = true;
    applyQueuedConfig(config, stub.q || []);
    applyConsent(config, stub.q || []);
    const prerendering = (document as { prerendering?: boolean }).prerendering;
    if (!prerendering) return start(config, host, false);
    document.addEventListener(
        'prerenderingchange', () => start(config, host, true), { once: true });
}

try {
    boot();
} catch {
    // The host page comes first: without us it must work as if we were not there.
}
