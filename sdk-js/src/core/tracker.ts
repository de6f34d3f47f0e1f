import { ADVERTISING, neededConsent } from './consent';
import type { Guard } from './guard';
import { uuid7 } from './ids';
import type { Identity } from './identity';
import type { Outbox } from './outbox';
import { WAIT_MILLISECONDS } from './outbox';
import { cookieIn } from './storage';
import type { Transport } from './transport';

export type Fields = { [name: string]: unknown };

export interface Tracker {
    guard: Guard;
    identity: Identity;
    /** Whether every one of these consent bits is given. */
    allows(bits: number): boolean;
    /** Records an event; `urgent` sends it at once, `at` is its own time (epoch milliseconds). */
    emit(type: string, fields: Fields, urgent?: boolean, at?: number): void;
    /** Freezes the open events, so that what changes now counts for later ones only. */
    seal(): void;
    flush(): void;
    handOver(last: boolean): void;
    consent: number;
}

interface Parts {
    siteKey: string;
    guard: Guard;
    identity: Identity;
    outbox: Outbox;
    transport: Transport;
    /** What consent dialogues say; goes with every batch. */
    signals(): Fields;
    consent: number;
}

/** Ad platforms' own browser ids, which their server-side APIs ask for. */
function advertisingIds(): Fields {
    const found: Fields = {};
    for (const pair of document.cookie.split('; ')) {
        const name = pair.split('=')[0];
        if (/^(_ga|_ga_\w{1,20}|_fbp|_fbc)$/.test(name)) {
            found[name] = (cookieIn(pair, name) || '').slice(0, 128);
        }
    }
    return found;
}

/** What is true for a whole page load; sent once, with its first batch. */
function pageContext(consent: number): Fields {
    const context: Fields = {
        l: (navigator.language || '').slice(0, 16),
        z: -new Date().getTimezoneOffset(),
        vw: window.innerWidth,
        vh: window.innerHeight,
        pr: Math.round((window.devicePixelRatio || 1) * 100) / 100,
        in: window.matchMedia('(pointer: coarse)').matches ? 0 : 1,
    };
    if (navigator.webdriver) context.wd = 1;
    if (consent & ADVERTISING) context.ids = advertisingIds();
    return context;
}

export function makeTracker(parts: Parts): Tracker {
    const { guard, identity, outbox, transport } = parts;
    let sessionId = '';
    let contextSent = false;
    let timerRuns = false;

    function head(lost: number): string {
        const fields: Fields = {
            v: 1, k: parts.siteKey, b: uuid7(Date.now()), w: identity.tab.w, q: ++identity.tab.q,
            d: identity.device() || undefined, s: sessionId, u: identity.user || undefined,
            c: self.consent, cp: parts.signals(), x: contextSent ? undefined : pageContext(self.consent),
            lost: lost || undefined,
        };
        contextSent = true;
        return JSON.stringify(fields).slice(1, -1);
    }
    function armTimer(): void {
        if (timerRuns) return;
        timerRuns = true;
        guard.later(WAIT_MILLISECONDS, 'queue', () => {
            timerRuns = false;
            self.flush();
        });
    }
    function enterSession(): void {
        const session = identity.session(Date.now());
        if (sessionId && session.id !== sessionId) self.seal();
        sessionId = session.id;
    }

    const self: Tracker = {
        guard,
        identity,
        consent: parts.consent,
        allows: (bits) => (self.consent & bits) === bits,
        emit(type, fields, urgent, at) {
            if (!self.allows(neededConsent(type))) return;
            enterSession();
            const monotonic = performance.now();
            const o = at ? Math.min(at - performance.timeOrigin, monotonic) : monotonic;
            const event = {
                n: ++identity.tab.n,
                t: type,
                o: Math.max(0, Math.round(o)),
                p: identity.tab.p
            };
            outbox.add(JSON.stringify(Object.assign(event, fields)));
            if (urgent || outbox.isFull()) self.flush();
            else armTimer();
        },
        seal: () => outbox.seal(Date.now(), head),
        flush() {
            self.seal();
            transport.pump();
        },
        handOver(last) {
            self.seal();
            transport.handOver(last);
        },
    };
    return self;
}
