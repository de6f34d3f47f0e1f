import type { Behaviour } from './collect/behaviour';
import type { Pages } from './collect/pages';
import {
    effectiveConsent, globalPrivacyControl, MEASUREMENT, PROFILING, STORAGE,
} from './core/consent';
import { boundedProps, HELPERS, isConversion } from './core/props';
import type { Shelf } from './core/storage';
import type { Tracker } from './core/tracker';

const USER = /^[\w.:-]{1,96}$/;
const NAME_CHARACTERS = 64;

/** One call of `hg(…)`: its time (epoch milliseconds) and what was given. */
export type Call = [number, ArrayLike<unknown>];

export interface Api {
    run(call: Call): void;
}

export function makeApi(
    tracker: Tracker, pages: Pages, behaviour: Behaviour, choice: { key: string; shelf: Shelf }
): Api {
    const { identity } = tracker;

    function consent(given: unknown): void {
        const wanted = Number(given);
        if (!(wanted >= 0)) return;
        choice.shelf.write(choice.key, String(wanted & 63));
        const next = effectiveConsent(wanted, globalPrivacyControl());
        const before = tracker.consent;
        if (next === before) return;
        pages.settle();
        if (before & PROFILING) behaviour.summarise(false);
        // What was gathered so far was gathered under the old bits and says so.
        tracker.seal();
        tracker.consent = next;
        if (next & STORAGE) identity.allowStorage();
        tracker.emit('cs', { bits: next, src: 'api' });
        // Told under the id that is given up, so that the engine forgets who had it.
        tracker.seal();
        if (!(next & STORAGE)) identity.forgetStorage();
        tracker.flush();
        if (next & ~before & MEASUREMENT) pages.begin('n');
        else if (next & ~before & PROFILING) behaviour.begin();
        if (next & PROFILING) behaviour.scan();
    }
    function track(name: unknown, props: unknown, at: number): void {
        const text = String(name).slice(0, NAME_CHARACTERS);
        pages.settle();
        tracker.emit('cu', { name: text, props: boundedProps(props) }, isConversion(text), at);
    }
    function identify(user: unknown, traits: unknown): void {
        const text = String(user);
        // A raw address must never leave the page: the customer's server hashes it, and what holds
        // anything else than a hash may is not taken.
        if (!USER.test(text)) {
            const props = { collector: 'identify', kind: 'RawIdentifier' };
            return tracker.emit('cu', { name: 'hg_error', props });
        }
        pages.settle();
        tracker.seal();
        identity.user = text;
        tracker.emit('id', { uid: text, traits: boundedProps(traits) }, true);
    }
    return {
        run([at, given]) {
            const [command, first, second] = Array.from(given);
            if (command === 'consent') consent(first);
            else if (command === 'track') track(first, second, at);
            else if (command === 'identify') identify(first, second);
            else if (command === 'page') pages.manual();
            else if (HELPERS.test(String(command))) track(command, first, at);
        },
    };
}
