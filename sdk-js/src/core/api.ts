import type { Call } from '../outside';
import { MEASUREMENT, PROFILING, STORAGE } from './bits';
import { applyChoice, choiceIn, keepChoice } from './consent';
import { NAME_CHARACTERS } from './limits';
import { boundedProps } from './props';
import type { Site } from './site';
import { tellFault } from './tracker';

const USER = /^[\w.:-]{1,96}$/;

/** Beginnings of the names of conversions, which are too dear to wait in a queue. */
const URGENT
    = /^(purch|refu|subs|start_|(generate_)?lead|sign|compl|begin|init|book|sche|conta|subm|donat)/;

export const isUrgent = (name: string) => URGENT.test(name);

/** Tells the engine what the visitor chose. */
export const tellChoice = ({ config, tracker }: Site): void => {
    tracker.emit(
        'cs', { bits: tracker.granted, src: 'api', ex: config.isExplicit ? 1 : undefined });
};

/** What runs a call: the core's commands, and those that parts of the full build brought. */
export const makeApi = (site: Site): (call: Call) => void => {
    const { config, commands, tracker, pages } = site;
    const { identity } = tracker;

    function consent(choice: string): void {
        const before = tracker.granted;
        const explicitBefore = config.isExplicit;
        keepChoice(config, choice);
        const next = applyChoice(config, choice);
        if (next === before && config.isExplicit === explicitBefore) return;
        pages.settle();
        if (before & PROFILING) site.behaviour.summarise(false);
        // What was gathered so far was gathered under the old bits and says so.
        tracker.sealUp();
        tracker.granted = next;
        site.consented.forEach((act) => act(next));
        if (next & STORAGE) identity.allowStorage();
        tellChoice(site);
        // Told under the id that is given up, so that the engine forgets who had it.
        tracker.sealUp();
        if (!(next & STORAGE)) identity.forgetStorage();
        tracker.sendSoon();
        const added = next & ~before;
        if (added & MEASUREMENT) pages.begin('n');
        else if (added & PROFILING) site.behaviour.begin();
        if (next & PROFILING) site.behaviour.scan();
    }
    function track(name: unknown, props: unknown, at: number): void {
        const text = String(name).slice(0, NAME_CHARACTERS);
        pages.settle();
        const { w, n } = identity.tab;
        const tw = site.twin?.(text, props, `${w}-${n + 1}`) || undefined;
        tracker.emit('cu', { name: text, props: boundedProps(props), tw }, isUrgent(text), at);
    }
    commands['identify'] = (user: unknown, traits: unknown) => {
        const text = String(user);
        pages.settle();
        // A raw address must never leave the page: the customer's server hashes it, and what holds
        // anything else than a hash may is not taken.
        if (!USER.test(text)) return tellFault(tracker, 'identify', 'RawIdentifier');
        tracker.sealUp();
        identity.user = text;
        tracker.emit('id', { uid: text, traits: boundedProps(traits) }, true);
    };
    commands['page'] = pages.manual;
    return ([at, given]) => {
        const [command, ...rest] = given;
        const name = String(command);
        const choice = choiceIn(given);
        if (choice) consent(choice);
        else if (name === 'track') track(rest[0], rest[1], at);
        else if (commands[name]) commands[name](...rest);
        // Any other command is an event of its name: `hg('purchase', { … })`.
        else if (!/^(config|consent|undefined)$/.test(name)) track(name, rest[0], at);
    };
};
