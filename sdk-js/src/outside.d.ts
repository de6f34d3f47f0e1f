/**
 * Every name that somebody else reads: the wire, what stays on the device, the site's calls, and
 * what pages and browsers hold that TypeScript's own types lack. The build renames all members that
 * are declared elsewhere in this folder; these, and the browser's, it leaves alone.
 */

import type { Options, Score } from '../hg';

export type { Options, Score };

/**
 * Members of a batch and of its events, by their names on the wire (README.md says what they
 * hold).
 */
export interface Fields {
    // batch
    v?: 1; k?: string; b?: string; w?: string; q?: number; d?: string; s?: string; u?: string;
    c?: number; cp?: Fields | number; x?: Fields | number; lost?: number;
    // context and consent signals
    l?: string; z?: number | string; vw?: number; vh?: number; pr?: number; in?: number;
    wd?: number;
    ids?: { [cookie: string]: string };
    tc?: string; gp?: string; up?: string; gm?: string; ex?: number;
    // every event
    n?: number; t?: string; o?: number; p?: number;
    // page view
    r?: string; ti?: string; nt?: string; h?: number; wc?: number;
    // page summary
    vz?: number[]; sc?: number[]; S?: Row[]; rd?: number[]; mo?: number[]; tp?: number[];
    kb?: number[]; ck?: number[]; ct?: Row[]; pt?: number[]; hm?: string;
    // click
    a?: string; g?: string; y?: number; hv?: number; f?: number | string;
    // form
    ph?: number; ff?: Row[]; sb?: number;
    // move
    ty?: string; fr?: string; dw?: number; lp?: number;
    // identify, consent, custom
    uid?: string; traits?: Bag; bits?: number; src?: string; name?: string; props?: Bag;
    tw?: number;
}

export type Row = (number | string)[];

/** What a caller hands over. */
export interface Bag { [name: string]: unknown }

/** `props` of the event that tells of a collector's fault. */
export interface Fault { collector: string; kind: string }

/** One page that this tab showed; the newest is the trail's last. */
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

export interface Session {
    id: string;
    /** Time of the newest event, epoch milliseconds. */
    at: number;
}

/** A batch that waits on the device for a better day. */
export interface StoredBatch {
    /** Its fields but `st`, `mt` and `e`, as JSON members. */
    h: string;
    /** The events, as JSON separated by commas, and their number. */
    e: string;
    n: number;
    /** Losses that it reports, which must not be lost with it. */
    l: number;
    /** When it was sealed, epoch milliseconds. */
    t: number;
    /** `performance.timeOrigin` of the page that made it: its clock. 0: this page. */
    o: number;
}

/** Last argument of `hg('consent', …)` and `hg('identify', …)`. */
export interface CallOptions { explicit?: boolean; pepper?: string }

type Told = { tcString?: string; uspString?: string } | null;
type Platform = { pingData?: { gppString?: string } } | null;

/** What consent dialogues, tag managers and pixels leave on `window`. */
export interface Page {
    __tcfapi?: (command: string, version: number, take: (told: Told) => void) => void;
    __uspapi?: (command: string, version: number, take: (told: Told) => void) => void;
    __gpp?: (command: string, take: (told: Platform) => void) => void;
    dataLayer?: ArrayLike<unknown>[];
    fbq?: (...given: unknown[]) => void;
    gtag?: (...given: unknown[]) => void;
    Zone?: { __symbol__?: (name: string) => string };
    hg?: Command;
}

/** `hg(…)`: while the script loads, its queue; afterwards, its functions. */
export interface Command {
    (...given: unknown[]): void;
    q?: Call[];
    ready?: boolean;
    onScore?: (listener: (score: Score) => void) => void;
    linkParam?: () => string;
}

/** One call of `hg(…)`: its time (epoch milliseconds) and what was given. */
export type Call = [number, ArrayLike<unknown> & Iterable<unknown>];

/** Newer than TypeScript's types. */
export interface Browser {
    prerendering?: boolean;
    globalPrivacyControl?: boolean;
    doNotTrack?: string;
    navigation?: NavigationLike;
    locks?: LockManager;
}

export interface NavigationLike extends EventTarget {
    currentEntry: { index: number } | null;
}

export interface LockManager {
    request(name: string, options: { ifAvailable?: boolean },
        use: (lock: unknown) => unknown): Promise<unknown>;
}
