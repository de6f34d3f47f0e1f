import { STORAGE } from '../core/bits';
import { browser, json } from '../core/natives';
import type { SealedBatch } from '../core/outbox';
import { AGE_MAXIMUM_MILLISECONDS } from '../core/retry';
import type { Site } from '../core/site';
import { localKeys, localShelf, readJson } from '../core/storage';
import type { StoredBatch } from '../outside';
import { hash32 } from './hash';
import { ADOPT_MILLISECONDS, BYTES_MAXIMUM } from './limits';

/**
 * Keeps what could not be sent on the device, for the next page to send: one key per window, named
 * after site and endpoint, so that nothing goes to anybody else. A living page holds a lock of its
 * key's name while something lies under it; what no page holds is an orphan, and whoever gets its
 * lock first adopts it.
 */
export const keepQueue = (site: Site): void => {
    const { config, outbox, tracker, sender } = site;
    const { guard, identity } = tracker;
    const { locks } = browser;
    const prefix = `${identity.prefix}q.${hash32(config.beaconUrl)}.`;
    /** Where this page's batches lie; empty when nothing does. */
    let key = '';
    /** Ends the hold on the lock of `key`. */
    let release: (() => void) | null = null;

    function hold(): void {
        if (!locks || release) return;
        const held = new Promise<void>((resolve) => (release = resolve));
        locks.request(key, {}, () => held).catch(() => undefined);
    }
    function letGo(): void {
        release?.();
        release = null;
    }
    function clear(): void {
        if (key) localShelf.forget(key);
        key = '';
        letGo();
    }
    /** The newest batches that there is room for; older ones are given up. */
    function fitting(batches: SealedBatch[]): StoredBatch[] {
        let room = BYTES_MAXIMUM;
        const kept: StoredBatch[] = [];
        for (const batch of batches.slice().reverse()) {
            const { h, e, n, l, t, o } = batch;
            room -= batch.bytes + 128;
            if (room < 0) outbox.drop(batch);
            else kept.unshift({ h, e, n, l, t, o: o || performance.timeOrigin });
        }
        return kept;
    }
    sender.keep = (last) => {
        const batches = outbox.queued();
        if (!batches.length || !tracker.allows(STORAGE)) {
            clear();
            return false;
        }
        key = key || prefix + identity.tab.w;
        const text = json(fitting(batches));
        localShelf.store(key, text);
        // A page that goes lets the next one have it.
        if (last) letGo();
        else hold();
        return localShelf.recall(key) === text;
    };
    function take(name: string): void {
        const batches = readJson<StoredBatch[]>(localShelf, name) || [];
        localShelf.forget(name);
        for (const batch of batches) {
            if (Date.now() - batch.t > AGE_MAXIMUM_MILLISECONDS) outbox.lose(batch);
            else outbox.adopt(batch);
        }
        sender.pump();
    }
    function adopt(): void {
        for (const name of localKeys()) {
            if (name.indexOf(prefix) || name === key) continue;
            // Without locks only what this very tab left is surely nobody else's.
            if (locks) locks.request(name, { ifAvailable: true }, (lock) => lock && take(name))
                .catch(() => undefined);
            else if (name === prefix + identity.tab.w) take(name);
        }
    }
    site.consented.push((bits) => {
        if (bits & STORAGE) {
            guard.later(ADOPT_MILLISECONDS, 'keep', adopt);
        } else {
            clear();
            localKeys().forEach((name) => name.indexOf(prefix) || localShelf.forget(name));
        }
    });
    site.returned.push(() => {
        if (!key) return;
        // Adopted while this page lay in the cache: somebody else sends it.
        if (localShelf.recall(key) == null) outbox.queued().forEach(outbox.discard);
        clear();
    });
};
