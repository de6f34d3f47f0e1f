import type { Fault, Fields } from '../outside';
import type { Config } from './config';
import { neededConsent } from './consent';
import type { Guard } from './guard';
import { uuid7 } from './ids';
import type { Identity } from './identity';
import { WAIT_MILLISECONDS } from './limits';
import { json, now, round } from './natives';
import type { Outbox } from './outbox';
import type { Transport } from './transport';

export interface Tracker {
    guard: Guard;
    identity: Identity;
    /** Whether every one of these consent bits is given. */
    allows(bits: number): boolean;
    /** Records an event; `urgent` sends it at once, `at` is its own time (epoch milliseconds). */
    emit(type: string, fields: Fields, urgent?: boolean, at?: number): void;
    /** Freezes the open events, so that what changes now counts for later ones only. */
    sealUp(): void;
    sendSoon(): void;
    handOver(last: boolean): void;
    granted: number;
    /** What consent dialogues say; goes with every batch. */
    signals(): Fields;
    /** What ad platforms call this browser. */
    pixelIds(): { [cookie: string]: string } | undefined;
}

/** Tells of a collector's fault. */
export const tellFault = (tracker: Tracker, collector: string, kind: string): void => {
    const props: Fault = { collector, kind };
    tracker.emit('cu', { name: 'hg_error', props: { ...props } });
};

interface Parts {
    config: Config;
    guard: Guard;
    identity: Identity;
    outbox: Outbox;
    sender: Transport;
}

/** What is true for a whole page load; sent once, with its first batch. */
const pageContext = (ids: Fields['ids']): Fields => {
    return {
        l: (navigator.language || '').slice(0, 16),
        z: -new Date().getTimezoneOffset(),
        vw: innerWidth,
        vh: innerHeight,
        pr: round((devicePixelRatio || 1) * 100) / 100,
        in: matchMedia('(pointer: coarse)').matches ? 0 : 1,
        wd: navigator.webdriver ? 1 : undefined,
        ids,
    };
};

export const makeTracker = ({ config, guard, identity, outbox, sender }: Parts): Tracker => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    let sessionId = '';
    let contextSent = false;
    let timerRuns = false;

    function head(lost: number): string {
        const { tab } = identity;
        const fields: Fields = {
            v: 1, k: config.siteKey, b: uuid7(Date.now()), w: tab.w, q: ++tab.q,
            d: identity.device() || undefined, s: sessionId, u: identity.user,
            c: self.granted,
            cp: { z: zone, ...self.signals(), ex: config.isExplicit ? 1 : undefined },
            x: contextSent ? undefined : pageContext(self.pixelIds()), lost: lost || undefined,
        };
        contextSent = true;
        return json(fields).slice(1, -1);
    }
    function armTimer(): void {
        if (timerRuns) return;
        timerRuns = true;
        guard.later(WAIT_MILLISECONDS, 'queue', () => {
            timerRuns = false;
            self.sendSoon();
        });
    }
    function enterSession(): void {
        const session = identity.session(Date.now());
        if (sessionId && session !== sessionId) self.sealUp();
        sessionId = session;
    }

    const self: Tracker = {
        guard,
        identity,
        granted: config.granted,
        signals: () => ({}),
        pixelIds: () => undefined,
        allows: (bits) => (self.granted & bits) === bits,
        emit(type, fields, urgent, at) {
            if (!self.allows(neededConsent(type))) return;
            enterSession();
            const monotonic = now();
            const o = at ? Math.min(at - performance.timeOrigin, monotonic) : monotonic;
            const { tab } = identity;
            outbox.put(json(
                { n: ++tab.n, t: type, o: Math.max(0, round(o)), p: tab.p, ...fields }));
            if (urgent || outbox.isFull()) self.sendSoon();
            else armTimer();
        },
        sealUp: () => outbox.sealUp(Date.now(), head),
        sendSoon() {
            self.sealUp();
            sender.pump();
        },
        handOver(last) {
            self.sealUp();
            sender.handOver(last);
        },
    };
    return self;
};
