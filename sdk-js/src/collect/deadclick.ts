import { now as clock } from '../core/natives';
import type { Guard } from '../core/guard';

const MUTATION_MILLISECONDS = 2_500;
const SCROLL_MILLISECONDS = 100;
const FOCUS_MILLISECONDS = 1_000;
const EXEMPT = 'a,input,select,textarea,label,summary,video,audio,[type=submit],[data-hg-ignore]';
const LOOKS = '[role=button],[onclick],[data-cta],button,[class*=btn],[class*=button],[tabindex]';

interface Candidate { at: number; alive: boolean; observer: MutationObserver }

export interface DeadClickWatch {
    /** Watches what follows a click; `found` is called when nothing did. */
    clicked(target: Element, event: MouseEvent, found: () => void): void;
    /** The page scrolled or a selection changed. */
    moved(): void;
    /** Focus or visibility changed, or a new page began. */
    shifted(): void;
}

/** Judges, when the browser is idle, whether an element looks as if a click would do something. */
function looksInteractive(target: Element): boolean {
    return target.closest(LOOKS) !== null || getComputedStyle(target).cursor === 'pointer';
}

/**
 * One candidate at a time: the observer of the whole document lives for 2.5 s after a click only.
 */
export function makeDeadClickWatch(
    guard: Guard, milliseconds = MUTATION_MILLISECONDS): DeadClickWatch {
    let candidate: Candidate | null = null;

    function cancel(): void {
        if (candidate) {
            candidate.alive = false;
            candidate.observer.disconnect();
        }
        candidate = null;
    }
    function cancelWithin(milliseconds: number): void {
        if (candidate && clock() - candidate.at <= milliseconds) cancel();
    }
    function watch(target: Element, found: () => void): void {
        const observer = new MutationObserver(guard.wrap('dead', cancel));
        const mine: Candidate = { at: clock(), alive: true, observer };
        candidate = mine;
        observer.observe(document,
            { subtree: true, childList: true, attributes: true, characterData: true });
        guard.idle('dead', 1000, () => {
            if (mine.alive && !looksInteractive(target)) cancel();
        });
        guard.later(milliseconds, 'dead', () => {
            if (!mine.alive) return;
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
}
