/** Limits of the wire format and of this queue. */
export const BATCH_EVENTS = 32;
export const BATCH_BYTES = 24 * 1024;
export const EVENT_BYTES = 4096;
export const WAIT_MILLISECONDS = 10_000;
export const MEMORY_EVENTS = 500;
export const MEMORY_BYTES = 256 * 1024;

/** A batch whose content and number no longer change; only its send times are stamped anew. */
export interface SealedBatch {
    /** The fields of the batch but `st`, `mt` and `e`, as JSON members. */
    head: string;
    /** The events, as JSON separated by commas. */
    events: string;
    count: number;
    /** Losses that this batch reports; they must not be lost with it. */
    lost: number;
    bytes: number;
    tries: number;
    sealedAt: number;
    flying: boolean;
}

export interface Outbox {
    /** Takes an event; false when it is over the size limit and was dropped. */
    add(json: string): boolean;
    isFull(): boolean;
    openCount(): number;
    /** Freezes the open events into a batch; `head` is asked for the batch's fields. */
    seal(now: number, head: (lost: number) => string): void;
    waiting(): SealedBatch[];
    remove(batch: SealedBatch): void;
    /** Gives a batch up and counts its events as lost. */
    drop(batch: SealedBatch): void;
    clear(): void;
}

/** Length of a text in UTF-8; JSON text holds no half surrogate pairs. */
export function utf8Length(text: string): number {
    let bytes = text.length;
    for (let index = 0; index < text.length; index++) {
        const unit = text.charCodeAt(index);
        // A surrogate pair is two units and four bytes: two for each half.
        if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
    }
    return bytes;
}

/** The one queue between the collectors and the network: bounded, ordered, honest about loss. */
export function makeOutbox(): Outbox {
    let open: string[] = [];
    let openBytes = 0;
    let sealed: SealedBatch[] = [];
    let lost = 0;

    function drop(batch: SealedBatch): void {
        lost += batch.count + batch.lost;
        remove(batch);
    }
    function remove(batch: SealedBatch): void {
        sealed = sealed.filter((other) => other !== batch);
    }
    function shedOldest(): void {
        const total = (pick: (batch: SealedBatch) => number) =>
            sealed.reduce((sum, batch) => sum + pick(batch), 0);
        while (total((b) => b.count) > MEMORY_EVENTS || total((b) => b.bytes) > MEMORY_BYTES) {
            const victim = sealed.filter((batch) => !batch.flying)[0];
            if (!victim) return;
            drop(victim);
        }
    }

    return {
        add(json) {
            const bytes = utf8Length(json) + 1;
            if (bytes > EVENT_BYTES) {
                lost++;
                return false;
            }
            open.push(json);
            openBytes += bytes;
            return true;
        },
        isFull: () => open.length >= BATCH_EVENTS || openBytes >= BATCH_BYTES - EVENT_BYTES,
        openCount: () => open.length,
        seal(now, head) {
            if (!open.length) return;
            const fields = head(lost);
            const events = open.join(',');
            const bytes = utf8Length(fields) + openBytes + 64;
            sealed.push({
                head: fields, events, bytes, count: open.length, lost, tries: 0, sealedAt: now,
                flying: false,
            });
            open = [];
            openBytes = lost = 0;
            shedOldest();
        },
        waiting: () => sealed.filter((batch) => !batch.flying),
        remove,
        drop,
        clear() {
            open = [];
            sealed = [];
            openBytes = lost = 0;
        },
    };
}

/** The body of one attempt: the clock pair is taken anew each time, so waiting is never skew. */
export function bodyOf(batch: SealedBatch, epoch: number, monotonic: number): string {
    const times = `"st":${Math.round(epoch)},"mt":${Math.round(monotonic)}`;
    return `{${batch.head},${times},"e":[${batch.events}]}`;
}
