import { PROFILING } from '../core/bits';
import { now as clock } from '../core/natives';
import type { Tracker } from '../core/tracker';
import type { Books } from './books';
import { makeDeadClickWatch } from './deadclick';
import { ctaOf, hasSelection, interactiveOf, isTextField, labelOf, targetOf } from './elements';
import {
    ERROR_MILLISECONDS, FLAG_CTA, FLAG_DEAD, FLAG_DOWNLOAD, FLAG_ERROR, FLAG_OUTBOUND, FLAG_RAGE,
} from './limits';

const FILES = /\.(pdf|zip|gz|docx?|xlsx?|pptx?|csv|dmg|exe|apk|mp[34]|mov|ics)$/i;
const STEPPER = /next|prev|arrow|carousel|slide|step|plus|minus|incr|decr|quant/i;

interface Hover { at: number; entries: number }

/** What a link leads to, as flag bits and a label; 0 for a link within the site. */
const linkFlags = (link: HTMLAnchorElement | null): [flags: number, label: string] => {
    if (!link || !/^https?:$/.test(link.protocol)) return [0, ''];
    const { host, pathname } = link;
    if (link.hasAttribute('download') || FILES.test(pathname)) {
        return [FLAG_DOWNLOAD, pathname.split('/').pop()!];
    }
    return host === location.host ? [0, ''] : [FLAG_OUTBOUND, host];
};

/** Clicking quickly here has good reasons: typing, stepping, choosing words. */
const rageExempt = (target: Element, event: MouseEvent): boolean => {
    if (event.detail === 0 || isTextField(target) || target.closest('[data-hg-ignore]'))
        return true;
    const control = interactiveOf(target) || target;
    return STEPPER.test(control.getAttribute('class') + ' ' + control.getAttribute('aria-label'))
        || event.detail > 1 && hasSelection();
};

/** Counts clicks and reports the interesting ones. `sectionOf` gives a section's index or -1. */
export const watchClicks = (
    tracker: Tracker, books: () => Books, sectionOf: (target: Element) => number, acted: () => void,
    ctaClicked: (element: Element) => void, deadMilliseconds?: number
): { moved(): void; shifted(): void } => {
    const { guard } = tracker;
    const hovers = new WeakMap<Element, Hover>();
    const dead = makeDeadClickWatch(guard, deadMilliseconds);
    let hovered: Element | null = null;
    let pressedAt = -1;
    let lastClick: { at: number; target: Element; event: MouseEvent } | null = null;

    function report(
        target: Element, event: MouseEvent, flags: number, label: string, hover: number): void {
        tracker.emit('ck', {
            a: label.slice(0, 64) || undefined, g: target.tagName.toLowerCase().slice(0, 16),
            x: Math.round(event.clientX), y: Math.round(event.clientY),
            hv: hover >= 0 && tracker.allows(PROFILING) ? Math.round(hover) : undefined, f: flags,
        });
    }
    /** Milliseconds from the pointer's entry to the press (-1: unknown), and entries so far. */
    function hoverOf(control: Element | null): number[] {
        const known = control && hovers.get(control);
        if (!known || pressedAt < 0) return [-1, 0];
        return [Math.max(0, pressedAt - known.at), known.entries];
    }
    function countBehaviour(target: Element, event: MouseEvent, control: Element | null): number {
        const now = clock();
        const [hover, entries] = hoverOf(control);
        books().sections.clicked(sectionOf(target));
        books().pointer.pressed(event.clientX, event.clientY, now);
        const raging = books().clicks.click({
            x: event.clientX, y: event.clientY, now, interactive: !!control, hover, entries,
            rageExempt: rageExempt(target, event),
        });
        dead.clicked(target, event, () => {
            books().clicks.dead();
            report(target, event, FLAG_DEAD, labelOf(control || target), -1);
        });
        lastClick = { at: now, target, event };
        return raging ? FLAG_RAGE : 0;
    }
    function clicked(event: MouseEvent): void {
        const target = targetOf(event);
        if (!target) return;
        const control = interactiveOf(target);
        const cta = ctaOf(target);
        const link = target.closest<HTMLAnchorElement>('a[href]');
        const [linked, linkLabel] = linkFlags(link);
        let flags = linked | (cta ? FLAG_CTA : 0);
        if (tracker.allows(PROFILING)) flags |= countBehaviour(target, event, control);
        if (cta) ctaClicked(cta);
        // Following a link is how one leaves; only other clicks are acts on the page.
        if (!link) acted();
        if (flags) {
            const label = cta ? labelOf(cta) : linkLabel || labelOf(control || target);
            report(cta || control || target, event, flags, label, hoverOf(control)[0]);
        }
        pressedAt = -1;
    }
    function broke(): void {
        if (!lastClick || clock() - lastClick.at > ERROR_MILLISECONDS) return;
        books().clicks.error();
        report(lastClick.target, lastClick.event, FLAG_ERROR, labelOf(lastClick.target), -1);
        lastClick = null;
    }
    function entered(event: PointerEvent): void {
        if (event.pointerType === 'touch') return;
        const target = targetOf(event);
        const control = target && interactiveOf(target);
        if (control && control !== hovered) {
            const { entries } = hovers.get(control) || { entries: 0 };
            hovers.set(control, { at: clock(), entries: entries + 1 });
        }
        hovered = control;
    }
    guard.on('pointerover', 'clicks', entered);
    guard.on('pointerdown', 'clicks', (event: PointerEvent) => {
        pressedAt = event.pointerType === 'touch' ? -1 : clock();
    });
    guard.on('click', 'clicks', clicked);
    guard.listen(window, 'error unhandledrejection', 'clicks', ({ target }: Event) => {
        // Elements that fail to load raise `error` too; only scripts' faults count.
        if (target === window) broke();
    });
    return dead;
};
