import type { Score } from '../outside';
import { KEEPALIVE_BYTES, TIMEOUT_MILLISECONDS } from './limits';
import { now } from './natives';
import type { Outbox, SealedBatch } from './outbox';
import { bodyOf } from './outbox';
import {
    AGE_MAXIMUM_MILLISECONDS, backoffMilliseconds, isWorthRetrying, retryAfterMilliseconds,
    TRIES_MAXIMUM,
} from './retry';

interface Answer {
    status: number;
    headers: { get(name: string): string | null };
    json(): Promise<unknown>;
}

/** What the transport touches of the outside world; tests give their own. */
export interface Wires {
    /** Named so that `send` is never mistaken for the browser's own. */
    post(url: string, init: RequestInit): Promise<Answer>;
    beacon(url: string, body: string): boolean;
    later(milliseconds: number, action: () => void): void;
    isOnline(): boolean;
}

export interface Transport {
    /** Sends the oldest waiting batch, one at a time, unless a pause is on. */
    pump(): void;
    /** Hands every waiting batch to the browser now. `last` says that the page is going away. */
    handOver(last: boolean): void;
    /** Ends a pause, since the network or the page is back. */
    goOn(): void;
    /** Is told the score, when somebody wants to know it. */
    scored?: (score: Score) => void;
    /**
     * Keeps on the device what could not be sent; true when it did. Called after each failure,
     * after what was kept could be sent, and at the end of the page.
     */
    keep?: (last: boolean) => boolean;
}

export const makeTransport = (url: string, outbox: Outbox, wires: Wires): Transport => {
    let keepaliveBytes = 0;
    let sending = 0;
    let pausedUntil = 0;
    let failures = 0;

    function fail(batch: SealedBatch, retryAfter: number): void {
        const age = Date.now() - batch.t;
        if (++batch.tries >= TRIES_MAXIMUM || age > AGE_MAXIMUM_MILLISECONDS) outbox.drop(batch);
        const wait = backoffMilliseconds(++failures, retryAfter, Math.random());
        pausedUntil = now() + wait;
        wires.later(wait + 1, pump);
    }
    function settle(batch: SealedBatch, status: number, retryAfter: number): void {
        batch.flying = false;
        const again = isWorthRetrying(status);
        const failedBefore = failures;
        if (again) {
            fail(batch, retryAfter);
        } else {
            failures = 0;
            if (status >= 200 && status < 300) outbox.discard(batch);
            else outbox.drop(batch);
        }
        if (again || failedBefore) self.keep?.(false);
    }
    function fly(batch: SealedBatch, keepalive: boolean): void {
        const abort = new AbortController();
        const { scored } = self;
        const wish = scored ? (url.indexOf('?') < 0 ? '?' : '&') + 'want=score' : '';
        batch.flying = true;
        sending++;
        if (keepalive) keepaliveBytes += batch.bytes;
        wires.later(TIMEOUT_MILLISECONDS, () => abort.abort());
        const landed = (status: number, retryAfter: number) => {
            sending--;
            if (keepalive) keepaliveBytes -= batch.bytes;
            settle(batch, status, retryAfter);
            pump();
        };
        // A text's type is text/plain, which needs no preflight.
        wires.post(url + wish, {
            method: 'POST', body: bodyNow(batch), keepalive,
            credentials: 'omit', signal: abort.signal,
        }).then((answer) => {
            landed(answer.status, retryAfterMilliseconds(answer.headers.get('Retry-After')));
            if (scored && answer.status === 200) answer.json().then(scored as () => void, () => 0);
        }, () => landed(0, 0));
    }
    const bodyNow = (batch: SealedBatch) => bodyOf(batch, Date.now(), now());
    const fits = (batch: SealedBatch) => keepaliveBytes + batch.bytes <= KEEPALIVE_BYTES;
    function pump(): void {
        const batch = outbox.queued()[0];
        if (!batch || sending || now() < pausedUntil) return;
        fly(batch, fits(batch));
    }
    function handOver(last: boolean): void {
        // A beacon does not tell how it fared: while sending fails, the device is the better place.
        const hopeless = last && (failures || !wires.isOnline());
        if (hopeless && self.keep?.(true)) return;
        for (const batch of outbox.queued()) {
            if (!last && fits(batch)) {
                fly(batch, true);
            } else if (wires.beacon(url, bodyNow(batch))) {
                // It counts as sent and is never repeated.
                outbox.discard(batch);
            } else if (fits(batch)) {
                fly(batch, true);
            }
        }
        if (last) self.keep?.(true);
    }
    const self: Transport = {
        pump,
        handOver,
        goOn() {
            pausedUntil = 0;
            pump();
        },
    };
    return self;
};
