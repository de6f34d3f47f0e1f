import { isIdentifier, uuid7 } from './ids';
import type { Session } from './session';
import { sessionAt } from './session';
import type { Shelf } from './storage';
import { readJson } from './storage';

/** One page that this tab showed, newest last. */
export interface Step {
    path: string;
    /** When it was entered, epoch milliseconds. */
    at: number;
    /** Clicks and keys there. */
    acts: number;
    /** Place in the browser's history, where the browser tells it. */
    index: number;
}

/** What lives as long as a tab: the window id and the numbers that count in it. */
export interface TabState {
    w: string;
    n: number;
    q: number;
    p: number;
    trail: Step[];
    /** 1 while a page of this tab is showing; a copy made by "duplicate tab" carries it along. */
    live: number;
}

export interface Shelves {
    cookie: Shelf;
    local: Shelf;
    tab: Shelf;
}

export interface Identity {
    tab: TabState;
    device(): string | null;
    /** The session of an event at `now`, and whether it is a new one. */
    session(now: number): { id: string; fresh: boolean };
    user: string | null;
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

export function makeIdentity(
    siteKey: string, shelves: Shelves, makeId = () => uuid7(Date.now())): Identity {
    const prefix = `_hg.${siteKey}.`;
    let stored = false;
    let deviceId: string | null = null;
    let memorySession: Session | null = null;

    const freshTab = (): TabState => ({ w: makeId(), n: 0, q: 0, p: 0, trail: [], live: 1 });
    const saveTab = () => {
        if (stored) shelves.tab.write(prefix + 'w', JSON.stringify(self.tab));
    };
    function storedTab(): TabState | null {
        const found = readJson<TabState>(shelves.tab, prefix + 'w');
        const whole
            = found && isIdentifier(found.w) && found.n >= 0 && found.q >= 0 && found.p >= 0;
        return whole && Array.isArray(found!.trail) ? found : null;
    }
    function adoptTab(): void {
        const found = storedTab();
        // A tab marked live is a duplicate or ended without a farewell: its numbers are not ours.
        if (found && !found.live && !self.tab.n) self.tab = found;
        self.tab.live = 1;
        saveTab();
    }
    function adoptDevice(): void {
        const known =
            [shelves.cookie.read(DEVICE_COOKIE), shelves.local.read(prefix + 'd'), deviceId];
        deviceId = known.filter(isIdentifier)[0] || makeId();
        shelves.cookie.write(DEVICE_COOKIE, deviceId);
        shelves.local.write(prefix + 'd', deviceId);
    }

    const self: Identity = {
        tab: freshTab(),
        user: null,
        device: () => (stored ? deviceId : null),
        session(now) {
            const shared = stored ? readJson<Session>(shelves.local, prefix + 's') : null;
            const known = shared && isIdentifier(shared.id) ? shared : memorySession;
            const current = sessionAt(known, now, makeId);
            const fresh = memorySession !== null && memorySession.id !== current.id;
            memorySession = current;
            if (stored) shelves.local.write(prefix + 's', JSON.stringify(current));
            return { id: current.id, fresh };
        },
        allowStorage() {
            if (stored) return;
            stored = true;
            adoptTab();
            adoptDevice();
        },
        forgetStorage() {
            stored = false;
            deviceId = null;
            shelves.cookie.remove(DEVICE_COOKIE);
            shelves.local.remove(prefix + 'd');
            shelves.local.remove(prefix + 's');
            shelves.tab.remove(prefix + 'w');
        },
        leave() {
            self.tab.live = 0;
            saveTab();
        },
        enter() {
            self.tab = { ...freshTab(), trail: (storedTab() || self.tab).trail };
            saveTab();
        },
    };
    return self;
}
