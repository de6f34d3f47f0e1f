import type { Outbox, SealedBatch } from './outbox';
import { bodyOf } from './outbox';
import {
    AGE_MAXIMUM_MILLISECONDS, backoffMilliseconds, outcomeOf, retryAfterMilliseconds, TRIES_MAXIMUM,
} from './retry';

/**
 * Browsers refuse keepalive requests and beacons beyond 64 KiB that are under way together; we stay
 * below with what we know is ours.
 */
export const KEEPALIVE_BYTES = 60_000;
const TIMEOUT_MILLISECONDS = 15_000;

/** What the transport touches of the outside world; tests give their own. */
export interface Wires {
    fetch(url: string, init: RequestInit): Promise<{
        status: number; headers: { get(name: string): string | null };
    }>;
    beacon(url: string, body: string): boolean;
    epoch(): number;
    monotonic(): number;
    random(): number;
    later(milliseconds: number, action: () => void): void;
}

export interface Transport {
    /** Sends the oldest waiting batch, one at a time, unless a pause is on. */
    pump(): void;
    /** Hands every waiting batch to the browser now. `last` says that the page is going away. */
    handOver(last: boolean): void;
    /** Ends a pause, since the network or the page is back. */
    resume(): void;
}

export function makeTransport(url: string, outbox: Outbox, wires: Wires): Transport {
    let keepaliveBytes = 0;
    let sending = 0;
    let pausedUntil = 0;
    let failures = 0;

    function fail(batch: SealedBatch, retryAfter: number): void {
        batch.tries++;
        const age = wires.epoch() - batch.sealedAt;
        if (batch.tries >= TRIES_MAXIMUM || age > AGE_MAXIMUM_MILLISECONDS) outbox.drop(batch);
        const wait = backoffMilliseconds(++failures, retryAfter, wires.random());
        pausedUntil = wires.monotonic() + wait;
        wires.later(wait + 1, pump);
    }
    function settle(batch: SealedBatch, status: number, retryAfter: number): void {
        batch.flying = false;
        const outcome = outcomeOf(status);
        if (outcome === 'retry') return fail(batch, retryAfter);
        failures = 0;
        if (outcome === 'done') outbox.remove(batch);
        else outbox.drop(batch);
    }
    function fly(batch: SealedBatch, keepalive: boolean): void {
        const abort = new AbortController();
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
        wires.fetch(url, {
            method: 'POST', body: bodyOf(batch, wires.epoch(), wires.monotonic()), keepalive,
            headers: { 'Content-Type': 'text/plain' }, credentials: 'omit', mode: 'cors',
            signal: abort.signal,
        }).then(
            (answer) => landed(answer.status,
                retryAfterMilliseconds(answer.headers.get('Retry-After'), wires.epoch())),
            () => landed(0, 0)
        );
    }
    function fits(batch: SealedBatch): boolean {
        return keepaliveBytes + batch.bytes <= KEEPALIVE_BYTES;
    }
    function pump(): void {
        const batch = outbox.waiting()[0];
        if (!batch || sending || wires.monotonic() < pausedUntil) return;
        fly(batch, fits(batch));
    }
    function handOver(last: boolean): void {
        for (const batch of outbox.waiting()) {
            if (!last && fits(batch)) {
                fly(batch, true);
            } else if (wires.beacon(url, bodyOf(batch, wires.epoch(), wires.monotonic()))) {
                // Nobody tells us how a beacon fared, so it counts as sent and is never repeated.
                outbox.remove(batch);
            } else if (fits(batch)) {
                fly(batch, true);
            }
        }
    }
    return {
        pump,
        handOver,
        resume() {
            pausedUntil = 0;
            pump();
        },
    };
}
