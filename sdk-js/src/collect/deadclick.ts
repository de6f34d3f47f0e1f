import { now as clock } from '../core/natives';
import type { Guard } from '../core/guard';
import { interactiveOf } from './elements';
import { FOCUS_MILLISECONDS, MUTATION_MILLISECONDS, SCROLL_MILLISECONDS } from './limits';

const EXEMPT = 'a,input,select,textarea,label,summary,video,audio,[type=submit],[data-hg-ignore]';
const LOOKS = '[class*=btn],[class*=button],[tabindex]';

export interface DeadClickWatch {
    /** Watches what follows a click; `found` is called when nothing did. */
    clicked(target: Element, event: MouseEvent, found: () => void): void;
    /** The page scrolled or a selection changed. */
    moved(): void;
    /** Focus or visibility changed, or a new page began. */
    shifted(): void;
}

/** Judges, when the browser is idle, whether an element looks as if a click would do something. */
const looksInteractive = (target: Element): boolean => {
    return !!(interactiveOf(target) || target.closest(LOOKS))
        || getComputedStyle(target).cursor === 'pointer';
};

/**
 * One candidate at a time: the observer of the whole document lives for 2.5 s after a click only.
 */
export const makeDeadClickWatch = (
    guard: Guard, milliseconds = MUTATION_MILLISECONDS): DeadClickWatch => {
    /** Time of the click that is watched, or -1; what it waits for. */
    let watchedAt = -1;
    let observer: MutationObserver | null = null;

    function cancel(): void {
        watchedAt = -1;
        observer?.disconnect();
    }
    function cancelWithin(duration: number): void {
        if (clock() - watchedAt <= duration) cancel();
    }
    function watch(target: Element, found: () => void): void {
        const mine = watchedAt = clock();
        observer = new MutationObserver(guard.wrap('dead', cancel));
        observer.observe(document,
            { subtree: true, childList: true, attributes: true, characterData: true });
        guard.idle('dead', 1000, () => {
            if (watchedAt === mine && !looksInteractive(target)) cancel();
        });
        guard.later(milliseconds, 'dead', () => {
            if (watchedAt !== mine) return;
            cancel();
            found();
        });
    }
    return {
        clicked(target, event, found) {
            cancel();
            const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
            if (modified || target.closest(EXEMPT)) return;
            watch(target, found);
        },
        moved: () => cancelWithin(SCROLL_MILLISECONDS),
        shifted: () => cancelWithin(FOCUS_MILLISECONDS),
    };
};
