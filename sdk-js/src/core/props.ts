import type { Bag } from '../outside';
import { CHARACTERS_MAXIMUM, KEYS_MAXIMUM, KEY_CHARACTERS } from './limits';
import { json } from './natives';
import { attempt } from './storage';

/** What a caller hands over, cut to what the wire format takes; whole keys are left out. */
export const boundedProps = (given: unknown): Bag | undefined => {
    if (!given || typeof given !== 'object' || Array.isArray(given)) return undefined;
    const kept: Bag = {};
    let characters = 0;
    for (const name of Object.keys(given as object).slice(0, KEYS_MAXIMUM)) {
        const value = (given as Bag)[name];
        // Functions, rings and big integers have no JSON.
        const text = attempt(() => json(value));
        if (!text) continue;
        const next = characters + name.length + text.length + 4;
        // What is too long goes; what comes after it may still have room.
        if (next > CHARACTERS_MAXIMUM) continue;
        characters = next;
        kept[name.slice(0, KEY_CHARACTERS)] = value;
    }
    return characters ? kept : undefined;
};
