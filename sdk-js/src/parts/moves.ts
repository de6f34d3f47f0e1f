import { PROFILING } from '../core/bits';
import { navigationApi } from '../core/pages';
import type { Site } from '../core/site';
import type { Fields, Step } from '../outside';
import { QUICK_MILLISECONDS, TRAIL_MAXIMUM } from './limits';

/** The trail with a new step, bounded. */
export const extended = (trail: Step[], step: Step): Step[] => {
    return trail.concat(step).slice(-TRAIL_MAXIMUM);
};

/**
 * What arriving at the trail's last page by `traversal` (history buttons) or a link amounts to: b
 * back, f forward, u U-turn, l loop of `lp` pages; `fr` is the path that was left after `dw`
 * milliseconds.
 */
export const moveOf = (trail: Step[], traversal: boolean): Fields | null => {
    const [here, left, before, first] = trail.slice().reverse() as (Step | undefined)[];
    if (!here || !left || here.path === left.path) return null;
    const dw = Math.max(0, Math.round(here.at - left.at));
    const move: Fields = { fr: left.path.slice(0, 256), dw };
    const returned = before?.path === here.path;
    if (returned && first?.path === left.path) return { ty: 'l', ...move, lp: 2 };
    if (returned && left.acts === 0 && dw <= QUICK_MILLISECONDS) return { ty: 'u', ...move };
    if (!traversal) return null;
    return { ty: left.index >= 0 && here.index > left.index ? 'f' : 'b', ...move };
};

/** Follows the visitor's way through the pages of a tab. */
export const watchMoves = (site: Site): void => {
    const { tracker } = site;
    site.entered = (traversal) => {
        const { tab } = tracker.identity;
        const navigation = navigationApi();
        const entry = navigation?.currentEntry;
        tab.trail = extended(tab.trail, {
            path: location.pathname, at: Date.now(), acts: 0, index: entry ? entry.index : -1,
        });
        // A page that comes back from the cache may show before this one has said farewell.
        tracker.identity.save();
        const move = moveOf(tab.trail, traversal);
        return () => {
            if (move && tracker.allows(PROFILING)) tracker.emit('nv', move);
        };
    };
};

/** The visitor did something on the page that was entered last. */
export const acted = ({ tracker: { identity } }: Site): void => {
    const { trail } = identity.tab;
    const step = trail[trail.length - 1];
    if (step && !step.acts++) identity.save();
};
