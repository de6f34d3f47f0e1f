import type { Session } from '../outside';

/** A visit ends after this long without an event. */
export const SESSION_GAP_MILLISECONDS = 30 * 60 * 1000;

/** The session that an event at `now` belongs to: the known one, or a new one after a gap. */
export const sessionAt = (known: Session | null, now: number, makeId: () => string): Session => {
    // A clock that went far back would otherwise keep a session alive for ever.
    const fits = !!known && Math.abs(now - known.at) < SESSION_GAP_MILLISECONDS;
    return { id: fits ? known!.id : makeId(), at: now };
};
