import type { StoredBatch } from '../outside';
import { BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES, MEMORY_BYTES, MEMORY_EVENTS } from './limits';
import { round } from './natives';

/** A batch whose content and number no longer change; only its send times are stamped anew. */
export interface SealedBatch extends StoredBatch {
    bytes: number;
    tries: number;
    flying: boolean;
}

export interface Outbox {
    /** Takes an event; one over the size limit is lost. */
    put(json: string): void;
    isFull(): boolean;
    /** Freezes the open events into a batch; `head` is asked for the batch's fields. */
    sealUp(now: number, head: (lost: number) => string): void;
    queued(): SealedBatch[];
    /** Takes a batch that an earlier page left on the device. */
    adopt(batch: StoredBatch): void;
    discard(batch: SealedBatch): void;
    /** Gives a batch up and counts its events as lost. */
    drop(batch: SealedBatch): void;
    /** Counts losses of a batch that is gone. */
    lose(batch: StoredBatch): void;
}

/** Length of a text in UTF-8; JSON text holds no half surrogate pairs. */
export const utf8Length = (text: string): number => {
    return new Blob([text]).size;
};

/** The one queue between the collectors and the network: bounded, ordered, honest about loss. */
export const makeOutbox = (): Outbox => {
    let open: string[] = [];
    let openBytes = 0;
    let sealed: SealedBatch[] = [];
    let lost = 0;

    function shedOldest(): void {
        let events = 0;
        let bytes = 0;
        for (const batch of sealed.slice().reverse()) {
            events += batch.n;
            bytes += batch.bytes;
            if ((events > MEMORY_EVENTS || bytes > MEMORY_BYTES) && !batch.flying) self.drop(batch);
        }
    }

    const self: Outbox = {
        put(json) {
            const bytes = utf8Length(json) + 1;
            if (bytes > EVENT_BYTES) {
                lost++;
                return;
            }
            open.push(json);
            openBytes += bytes;
        },
        isFull: () => open.length >= BATCH_EVENTS || openBytes >= BATCH_BYTES - EVENT_BYTES,
        sealUp(now, head) {
            if (!open.length) return;
            const batch = {
                h: head(lost), e: open.join(','), n: open.length, l: lost, t: now, o: 0,
            };
            open = [];
            openBytes = lost = 0;
            self.adopt(batch);
        },
        queued: () => sealed.filter((batch) => !batch.flying),
        adopt(batch) {
            const bytes = utf8Length(batch.h + batch.e) + 64;
            sealed.push({ ...batch, bytes, tries: 0, flying: false });
            shedOldest();
        },
        discard(batch) {
            sealed = sealed.filter((other) => other !== batch);
        },
        drop(batch) {
            self.lose(batch);
            self.discard(batch);
        },
        lose: (batch) => void (lost += batch.n + batch.l),
    };
    return self;
};

/** The body of one attempt: the clock pair is taken anew each time, so waiting is never skew. */
export const bodyOf = (batch: StoredBatch, epoch: number, monotonic: number): string => {
    const mt = batch.o ? Math.max(0, epoch - batch.o) : monotonic;
    return `{${batch.h},"st":${round(epoch)},"mt":${round(mt)},"e":[${batch.e}]}`;
};
