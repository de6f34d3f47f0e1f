import { LINKING } from '../core/bits';
import type { Site } from '../core/site';
import type { Bag, CallOptions } from '../outside';
import { hex } from './hash';

const PEPPERED = 'p1:';

/** SHA-256 in hexadecimal digits, by the browser's own means; rejected where it has none (http). */
export const sha256 = async (text: string): Promise<string> => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
    return [...new Uint8Array(digest)].map((byte) => hex(byte, 2)).join('');
};

/** An address as everybody hashes it. */
export const normal = (text: unknown) => String(text).trim().toLowerCase();

/** A telephone number as the ad platforms hash it: digits alone, the country's first. */
const digits = (text: string) => text.replace(/\D+/g, '').replace(/^0+/, '');

/**
 * Hashes what must not leave the page as it is: `identify` with a pepper, and fields that opt in.
 */
export const hashFields = (site: Site): void => {
    const { commands, tracker } = site;
    const { guard } = tracker;
    const identify = commands['identify'];
    commands['identify'] = (user: unknown, traits: unknown, options?: CallOptions) => {
        const pepper = options?.pepper;
        if (!pepper) return identify(user, traits);
        sha256(pepper + normal(user)).then(
            guard.wrap('identify', (hash) => identify(PEPPERED + hash, traits)), () => undefined);
    };
    guard.on('submit', 'hashes', (event: Event) => {
        if (!tracker.allows(LINKING)) return;
        const traits: Bag = {};
        const fields = (event.target as Element).querySelectorAll<HTMLInputElement>('[data-hash]');
        const hashed = [...fields].map(({ dataset, value }) => {
            const name = dataset['hash'] + '_sha256';
            const text = /^phone/.test(name) ? digits(value) : normal(value);
            return text && sha256(text).then((hash) => void (traits[name] = hash));
        });
        if (hashed.some(Boolean)) Promise.all(hashed).then(
            guard.wrap('hashes', () => tracker.emit('id', { traits }, true)), () => undefined);
    });
};
