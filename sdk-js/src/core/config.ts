import type { Options } from '../outside';
import { ALL } from './bits';

export interface Config {
    siteKey: string;
    beaconUrl: string;
    granted: number;
    /** The visitor chose these bits on this site, knowing what the browser says for all sites. */
    isExplicit: boolean;
    options: Options;
}

const PATH = '/v1/e';

/** What the script's own tag says: its `data-` attributes are the options. */
export const optionsOf = (script: { src: string; dataset: DOMStringMap }): Options => {
    return { endpoint: new URL(script.src).origin + PATH, ...script.dataset } as Options;
};

/** Whether an option that is on by default is off. */
export const isOff = (option: unknown) => /^(off|false)$/.test(String(option));

/** Whether an option that is off by default is on: `on`, or an attribute without a value. */
export const isOn = (option: unknown) => option !== undefined && !isOff(option);

const bitsOf = (given: unknown): number => {
    const bits = given === '' ? NaN : Number(given);
    return bits >= 0 && bits <= ALL ? bits | 0 : 1;
};

/** The options checked; null when they name no site key. */
export const configOf = (options: Options): Config | null => {
    const siteKey = options.key || '';
    if (!/^[\w-]{1,32}$/.test(siteKey)) return null;
    return {
        siteKey, beaconUrl: options.endpoint || PATH, granted: bitsOf(options.consent),
        isExplicit: false, options,
    };
};
