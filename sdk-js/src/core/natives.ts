import type { Browser, Page } from '../outside';

/** The page's window and the browser's navigator with what TypeScript does not know of them. */
export const page = window as unknown as Page;
export const browser = navigator as unknown as Browser;

// Taken when the script comes: what a page does to these later is not our trouble.
const { fetch, performance } = window;
const { stringify } = JSON;

export const now = () => performance.now();
export const round = Math.round;

/** Asks the network, and where the page has broken `fetch`, by the way that is left. */
export const send = async (url: string, init: RequestInit): Promise<Response> => {
    try {
        return fetch(url, init);
    } catch {
        const taken = navigator.sendBeacon(url, init.body);
        return new Response(null, { status: taken ? 204 : 503 });
    }
};

/**
 * JSON text. Old libraries give arrays a `toJSON` that turns them into strings; it is put aside for
 * the moment.
 */
export const json = (value: unknown): string => {
    const proto = Array.prototype as { toJSON?: unknown };
    const odd = proto.toJSON;
    if (odd) delete proto.toJSON;
    try {
        return stringify(value);
    } finally {
        if (odd) proto.toJSON = odd;
    }
};

/**
 * A method as the browser made it: patches such as zone.js run the page's change detection after
 * every call of ours, and keep the original under another name.
 */
export const original = <K extends string, T extends { [name in K]: unknown }>(
    owner: T, name: K): T[K] => {
    const { Zone: zone } = page;
    const hidden = zone?.__symbol__?.(name) || name;
    return (owner as { [name: string]: unknown })[hidden] as T[K] || owner[name];
};
