import type { Step } from '../core/identity';

const QUICK_MILLISECONDS = 7_000;
const TRAIL_MAXIMUM = 8;

export interface Move {
    /** b back, f forward, u U-turn, l loop. */
    ty: 'b' | 'f' | 'u' | 'l';
    /** Path of the page that was left. */
    fr: string;
    /** Time spent there, milliseconds. */
    dw: number;
    /** Pages in the loop. */
    lp?: number;
}

/** The trail with a new step, bounded. */
export function extended(trail: Step[], step: Step): Step[] {
    return trail.concat(step).slice(-TRAIL_MAXIMUM);
}

/** What arriving at the trail's last page by `traversal` (history buttons) or a link amounts to. */
export function moveOf(trail: Step[], traversal: boolean): Move | null {
    const [here, left, before, first] = trail.slice().reverse() as (Step | undefined)[];
    if (!here || !left || here.path === left.path) return null;
    const move = { fr: left.path.slice(0, 256), dw: Math.max(0, Math.round(here.at - left.at)) };
    const returned = before !== undefined && before.path === here.path;
    if (returned && first && first.path === left.path) return { ty: 'l', ...move, lp: 2 };
    if (returned && left.acts === 0 && move.dw <= QUICK_MILLISECONDS) return { ty: 'u', ...move };
    if (!traversal) return null;
    const forward = here.index >= 0 && left.index >= 0 && here.index > left.index;
    return { ty: forward ? 'f' : 'b', ...move };
}
