import type { Session, TabState } from '../outside';
import { isIdentifier, uuid7 } from './ids';
import { json } from './natives';
import { sessionAt } from './session';
import type { Shelf } from './storage';
import { readJson } from './storage';

export interface Shelves {
    cookie: Shelf;
    local: Shelf;
    tab: Shelf;
}

export interface Identity {
    tab: TabState;
    /** Begins the keys of this site on the device. */
    prefix: string;
    device(): string | null;
    /** The id of the session that an event at `now` belongs to. */
    session(now: number): string;
    user?: string;
    /** An id that another domain of the site handed over; for a device without one. */
    offered?: string | null;
    /** Leaves the tab's numbers and trail where another page of the tab finds them. */
    save(): void;
    /** Puts what is in memory on the device, and takes what is there, once storage is allowed. */
    allowStorage(): void;
    /** Forgets everything on the device. */
    forgetStorage(): void;
    /** Before the page hides for good: leaves the tab's numbers for the next page. */
    leave(): void;
    /**
     * After a restore from the back/forward cache: a new window id. Other pages have counted on in
     * the old one, and theirs may hide after this one shows, so its numbers are not ours any more.
     */
    enter(): void;
}

const DEVICE_COOKIE = '_hg_d';

export const makeIdentity = (
    siteKey: string, { cookie, local, tab }: Shelves, makeId = () => uuid7(Date.now())
): Identity => {
    const prefix = `_hg.${siteKey}.`;
    let stored = false;
    let deviceId: string | null = null;
    let memorySession: Session | null = null;
    /** Where the device's id lives, the best place first. */
    const places: [Shelf, string][]
        = [[cookie, DEVICE_COOKIE], [local, prefix + 'd'], [tab, prefix + 'd']];

    const freshTab = (): TabState => ({ w: makeId(), n: 0, q: 0, p: 0, trail: [], live: 1 });
    function storedTab(): TabState | null {
        const found = readJson<TabState>(tab, prefix + 'w');
        return found && isIdentifier(found.w) && found.n + found.q + found.p >= 0 && found.trail ?
            found : null;
    }

    const self: Identity = {
        tab: freshTab(),
        prefix,
        save() {
            if (stored) tab.store(prefix + 'w', json(self.tab));
        },
        device: () => (stored ? deviceId : null),
        session(now) {
            const shared = stored ? readJson<Session>(local, prefix + 's') : null;
            const known = shared && isIdentifier(shared.id) ? shared : memorySession;
            memorySession = sessionAt(known, now, makeId);
            if (stored) local.store(prefix + 's', json(memorySession));
            return memorySession.id;
        },
        allowStorage() {
            if (stored) return;
            stored = true;
            const found = storedTab();
            // A tab marked live is a duplicate or ended without a farewell: its numbers are not
            // ours.
            if (found && !found.live && !self.tab.n) self.tab = found;
            self.tab.live = 1;
            self.save();
            const known = places.map(([place, key]) => place.recall(key));
            deviceId = known.concat(deviceId, self.offered || null).filter(isIdentifier)[0]
                || makeId();
            places.forEach(([place, key]) => place.store(key, deviceId!));
        },
        forgetStorage() {
            stored = false;
            deviceId = null;
            places.forEach(([place, key]) => place.forget(key));
            local.forget(prefix + 's');
            tab.forget(prefix + 'w');
        },
        leave() {
            self.tab.live = 0;
            self.save();
        },
        enter() {
            self.tab = { ...freshTab(), trail: (storedTab() || self.tab).trail };
            self.save();
        },
    };
    return self;
};
