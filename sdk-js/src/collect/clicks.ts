import { now as clock } from '../core/natives';
import { PROFILING } from '../core/consent';
import type { Tracker } from '../core/tracker';
import type { Books } from './books';
import {
    FLAG_CTA, FLAG_DEAD, FLAG_DOWNLOAD, FLAG_ERROR, FLAG_OUTBOUND, FLAG_RAGE,
} from './clickbook';
import { makeDeadClickWatch } from './deadclick';
import { ctaOf, interactiveOf, isTextField, labelOf, targetOf } from './elements';

const ERROR_MILLISECONDS = 1_000;
const FILES = /\.(pdf|zip|gz|docx?|xlsx?|pptx?|csv|dmg|exe|apk|mp[34]|mov|ics)$/i;
const STEPPER = /next|prev|arrow|carousel|slider|stepper|plus|minus|incr|decr|quantity/i;

interface Hover { at: number; entries: number }

/** What a link leads to, as flag bits and a label; 0 for a link within the site. */
function linkFlags(target: Element): { flags: number; label: string } {
    const link = target.closest('a[href]') as HTMLAnchorElement | null;
    if (!link || !/^https?:$/.test(link.protocol)) return { flags: 0, label: '' };
    if (link.hasAttribute('download') || FILES.test(link.pathname)) {
        return { flags: FLAG_DOWNLOAD, label: link.pathname.split('/').pop() || '' };
    }
    return link.host === location.host ? { flags: 0, label: '' } :
                                         { flags: FLAG_OUTBOUND, label: link.host };
}

/** Clicking quickly here has good reasons: typing, stepping, choosing words. */
function rageExempt(target: Element, event: MouseEvent): boolean {
    if (event.detail === 0 || isTextField(target) || target.closest('[data-hg-ignore]'))
        return true;
    const control = interactiveOf(target) || target;
    const names
        = `${control.getAttribute('class') || ''} ${control.getAttribute('aria-label') || ''}`;
    if (STEPPER.test(names)) return true;
    const selection = event.detail > 1 ? getSelection() : null;
    return selection !== null && !selection.isCollapsed;
}

/** Counts clicks and reports the interesting ones. `sectionOf` gives a section's index or -1. */
export function watchClicks(
    tracker: Tracker, books: () => Books, sectionOf: (target: Element) => number, acted: () => void,
    ctaClicked: (element: Element) => void, deadMilliseconds?: number
): { moved(): void; shifted(): void } {
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
    function hoverOf(control: Element | null): { time: number; entries: number } {
        const known = control && hovers.get(control);
        if (!known || pressedAt < 0) return { time: -1, entries: 0 };
        return { time: Math.max(0, pressedAt - known.at), entries: known.entries };
    }
    function countBehaviour(target: Element, event: MouseEvent, control: Element | null): number {
        const now = clock();
        const { time, entries } = hoverOf(control);
        books().sections.clicked(sectionOf(target));
        books().pointer.pressed(event.clientX, event.clientY, now);
        const raging = books().clicks.click({
            x: event.clientX, y: event.clientY, now, interactive: control !== null, hover: time,
            entries, rageExempt: rageExempt(target, event),
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
        const link = linkFlags(target);
        let flags = link.flags | (cta ? FLAG_CTA : 0);
        if (tracker.allows(PROFILING)) flags |= countBehaviour(target, event, control);
        if (cta) ctaClicked(cta);
        // Following a link is how one leaves; only other clicks are acts on the page.
        if (!target.closest('a[href]')) acted();
        if (flags) {
            const label = cta ? labelOf(cta) : link.label || labelOf(control || target);
            report(cta || control || target, event, flags, label, hoverOf(control).time);
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
            const known = hovers.get(control);
            hovers.set(
                control, { at: clock(), entries: (known ? known.entries : 0) + 1 });
        }
        hovered = control;
    }
    guard.listen(document, 'pointerover', 'clicks', entered);
    guard.listen(document, 'pointerdown', 'clicks', (event: PointerEvent) => {
        pressedAt = event.pointerType === 'touch' ? -1 : clock();
    });
    guard.listen(document, 'click', 'clicks', clicked);
    guard.listen(window, 'error', 'clicks', (event: Event) => {
        // Elements that fail to load raise `error` too; only scripts' faults count.
        if (event instanceof ErrorEvent) broke();
    });
    guard.listen(window, 'unhandledrejection', 'clicks', broke);
    return dead;
}
