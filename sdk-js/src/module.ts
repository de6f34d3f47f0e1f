import { launch, makeCommand } from './core/start';
import type { Options, Score } from './outside';
import { PARTS } from './parts/all';

/** Runs a command; before `start` it waits with its own time. */
export const hg = makeCommand([]);

/** Begins to watch this page. Once only; false when it has begun, or the options name no site. */
export const start = (options: Options): boolean => {
    if (hg.ready) return false;
    return hg.ready = launch({ ...options }, hg, PARTS);
};
export const track = (name: string, properties?: object) => hg('track', name, properties);
export const identify = (user: string, traits?: object, options?: object) =>
    hg('identify', user, traits, options);
export const consent = (bits: number, options?: object) => hg('consent', bits, options);
export const page = () => hg('page');
export const onScore = (listener: (score: Score) => void) => hg('onScore', listener);
export const linkParam = () => (hg.linkParam?.() || '');
