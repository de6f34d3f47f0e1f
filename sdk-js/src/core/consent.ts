import type { CallOptions, Options } from '../outside';
import { ALL, CLEARED_BY_REFUSAL, MEASUREMENT, PROFILING } from './bits';
import type { Config } from './config';
import { isOn } from './config';
import { browser } from './natives';
import { localShelf } from './storage';

/** The bits that hold once the browser's own refusal is respected. */
export const effectiveConsent = (wanted: number, refused: boolean): number => {
    return wanted & (refused ? ALL & ~CLEARED_BY_REFUSAL : ALL);
};

/** Which consent each event type needs; `cs` is always told, so that a refusal is. */
export const neededConsent = (type: string): number => {
    if (type === 'cs') return 0;
    return /ps|fm|nv/.test(type) ? MEASUREMENT | PROFILING : MEASUREMENT;
};

/**
 * Whether the browser refuses on the visitor's behalf: Global Privacy Control, or DNT where asked.
 */
const browserRefuses = (options: Options): boolean => {
    return !!browser.globalPrivacyControl || isOn(options.dnt) && browser.doNotTrack === '1';
};

/**
 * A visitor's choice as text, which is how it is kept on the device: bits, and `.1` behind them for
 * an explicit one, which stands against what the browser says for all sites.
 */
export type Choice = string;

/** The choice that a call `hg('consent', bits, options)` makes; empty when it makes none. */
export const choiceIn = ([command, bits, options]: ArrayLike<unknown> & Iterable<unknown>): Choice => {
    if (command !== 'consent' || !(Number(bits) >= 0)) return '';
    return (Number(bits) & ALL) + (Object(options as CallOptions).explicit ? '.1' : '');
};

const choiceKey = (config: Config) => `_hg.${config.siteKey}.c`;

/** The choice that is kept on the device; a damaged one is none. */
export const keptChoice = (config: Config): Choice => {
    const kept = localShelf.recall(choiceKey(config)) || '';
    return /^\d+(\.1)?$/.test(kept) ? kept : '';
};

export const keepChoice = (config: Config, choice: Choice) =>
    localShelf.store(choiceKey(config), choice);

/** Makes a choice count, less what the browser refuses. */
export const applyChoice = (config: Config, choice: Choice): number => {
    config.isExplicit = choice.indexOf('.') > 0;
    const refused = !config.isExplicit && browserRefuses(config.options);
    return config.granted = effectiveConsent(parseInt(choice, 10), refused);
};
