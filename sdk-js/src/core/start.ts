import type { Call, Command, Options } from '../outside';
import { makeApi, tellChoice } from './api';
import { MEASUREMENT, STORAGE } from './bits';
import type { Config } from './config';
import { configOf, optionsOf } from './config';
import { applyChoice, choiceIn, keepChoice, keptChoice } from './consent';
import { makeGuard } from './guard';
import { makeIdentity } from './identity';
import { browser, page, send } from './natives';
import { makeOutbox } from './outbox';
import { firstArrival, watchPages } from './pages';
import type { Behaviour, Part, Site } from './site';
import { attempt, cookieShelf, localShelf, tabShelf } from './storage';
import type { Tracker } from './tracker';
import { makeTracker, tellFault } from './tracker';
import type { Transport } from './transport';
import { makeTransport } from './transport';

const nothing = () => undefined;

const NO_BEHAVIOUR: Behaviour
    = { begin: nothing, scan: nothing, summarise: nothing, leave: nothing, shown: nothing };

const makeSite = (config: Config, command: Command): Site => {
    const guard = makeGuard((collector, kind) => tellFault(tracker, collector, kind));
    const outbox = makeOutbox();
    const sender: Transport = makeTransport(config.beaconUrl, outbox, {
        post: send,
        beacon: (url, body) => !!attempt(() => navigator.sendBeacon(url, body)),
        later: (milliseconds, action) => void guard.later(milliseconds, 'transport', action),
        isOnline: () => navigator.onLine !== false,
    });
    const identity = makeIdentity(config.siteKey, {
        cookie: cookieShelf, local: localShelf, tab: tabShelf,
    });
    const tracker: Tracker
        = makeTracker({ config, guard, identity, outbox, sender });
    const site = {
        config, tracker, outbox, sender, command, behaviour: NO_BEHAVIOUR,
        commands: Object.create(null), consented: [], returned: [],
    } as unknown as Site;
    site.pages = watchPages(site, tracker, config);
    return site;
};

/** Hands everything to the browser when the page hides or goes; never on `unload`. */
const watchLifecycle = ({ tracker, sender, pages, behaviour, returned }: Site): void => {
    const { guard, identity } = tracker;
    let gone = false;

    guard.listen(window, 'online', 'transport', sender.goOn);
    guard.on('visibilitychange', 'lifecycle', () => {
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
        returned.forEach((act) => act());
        identity.enter();
        tracker.sendSoon();
        pages.begin('c');
    });
};

const start = (config: Config, command: Hub, parts: Part[], prerendered: boolean): void => {
    const queue = command.sink as Call[];
    const told = queue.map(([, given]) => choiceIn(given)).filter(Boolean).pop();
    const kept = keptChoice(config);
    // What was chosen before the script came, else on an earlier page, else the tag's default.
    applyChoice(config, told || kept || String(config.granted));
    if (told) keepChoice(config, told);
    const site = makeSite(config, command);
    const { tracker, pages } = site;
    const run = tracker.guard.wrap('api', makeApi(site));
    parts.forEach((part) => tracker.guard.wrap('start', part)(site));
    site.consented.forEach((act) => act(tracker.granted));
    if (tracker.allows(STORAGE)) tracker.identity.allowStorage();
    watchLifecycle(site);
    pages.begin(firstArrival(prerendered));
    // A refusal before anything was sent needs no beacon of its own.
    if (told && told !== kept && tracker.allows(MEASUREMENT)) tellChoice(site);
    queue.filter(([, given]) => !choiceIn(given)).forEach(run);
    command.sink = { push: run };
};

/** `hg(…)` and what takes its calls: a list until the script runs, then the script. */
interface Hub extends Command {
    sink: { push(call: Call): unknown };
}

/**
 * Begins, now or when a prerendered page is shown. Calls of `command` wait in its queue until then.
 * False when the options name no site.
 */
export const launch = (options: Options, command: Hub, parts: Part[]): boolean => {
    for (const [, given] of command.sink as Call[]) {
        if (given[0] === 'config') Object.assign(options, given[1]);
    }
    const config = configOf(options);
    if (!config) return false;
    const go = (prerendered: boolean) => start(config, command, parts, prerendered);
    if (!(document as unknown as typeof browser).prerendering) go(false);
    else document.addEventListener('prerenderingchange', () => go(true), { once: true });
    return true;
};

/** `hg(…)` with the calls that waited for it. */
export const makeCommand = (queue: Call[]): Hub => {
    const command = (...given: unknown[]) => void command.sink.push([Date.now(), given]);
    command.sink = queue as Hub['sink'];
    return command;
};

/** The tag that this very script was loaded by. */
const ownTag = (): HTMLScriptElement | null => {
    return (document.currentScript || document.querySelector('script[data-key]')) as
        HTMLScriptElement | null;
};

/** Starts the script of a page: takes `window.hg` over from the queue that the snippet made. */
export const boot = (parts: Part[]): void => {
    try {
        const script = ownTag();
        const stub = page.hg;
        if (!script || stub?.ready) return;
        const command = makeCommand(stub?.q || []);
        if (!launch(optionsOf(script), command, parts)) return;
        command.ready = true;
        page.hg = command;
    } catch {
        // The host page comes first: without us it must work as if we were not there.
    }
};
