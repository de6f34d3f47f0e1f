import type { Command } from '../outside';
import type { Config } from './config';
import type { Outbox } from './outbox';
import type { Pages } from './pages';
import type { Tracker } from './tracker';
import type { Transport } from './transport';

/** What watches how a page is used; the core does without. */
export interface Behaviour {
    /** A new page view begins: new books. */
    begin(): void;
    /** The page has settled and may be looked at. */
    scan(): void;
    /** Sends what came together since the last summary; `ends` when the page is left or hidden. */
    summarise(ends: boolean): void;
    /** The page view is over. */
    leave(): void;
    shown(): void;
}

/** The pieces of one running script, and the places where parts of the full build join in. */
export interface Site {
    config: Config;
    tracker: Tracker;
    outbox: Outbox;
    sender: Transport;
    pages: Pages;
    behaviour: Behaviour;
    /** Commands beyond the core's: `hg('name', first, second, third)`. */
    commands: { [name: string]: (...given: any[]) => void };
    /** A page was entered; what it returns is called when its page view has been told. */
    entered?: (traversal: boolean) => () => void;
    /** Called with the bits that hold from now on, at the start and when they change. */
    consented: ((bits: number) => void)[];
    /** Called when the page comes back from the browser's cache. */
    returned: (() => void)[];
    /** Counts the words of a page. */
    words?: (root: Node) => number;
    /** Tells pixels of a conversion that gets the event id `id`; the bits of those that took it. */
    twin?: (name: string, props: unknown, id: string) => number;
    /** `hg` itself. */
    command: Command;
}

export type Part = (site: Site) => void;
