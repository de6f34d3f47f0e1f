import { now as clock } from '../core/natives';
import type { Tracker } from '../core/tracker';
import type { Books } from './books';
import { allCtas, ctaOf, targetOf } from './elements';

export interface CtaWatch {
    /** Watches what is new; to be called when the browser is idle. */
    scan(): void;
    clicked(element: Element): void;
    /** A new page view numbers its calls to action afresh. */
    reset(): void;
}

export const watchCtas = (tracker: Tracker, books: () => Books): CtaWatch => {
    let indexes = new Map<Element, number>();
    let hovered: Element | null = null;
    const coarse = window.matchMedia('(pointer: coarse)').matches;
    let observer: IntersectionObserver | null = null;

    function watchView(): void {
        observer = new IntersectionObserver(tracker.guard.wrap('ctas', (entries) => {
            for (const entry of entries) {
                books().ctas.inView(indexOf(entry.target), clock(), entry.isIntersecting);
            }
        }), { rootMargin: '-20% 0px' });
    }

    function indexOf(element: Element): number {
        let index = indexes.get(element);
        if (index == null) {
            index = indexes.size;
            indexes.set(element, index);
            observer?.observe(element);
        }
        return index;
    }
    function moveTo(next: Element | null): void {
        if (next === hovered) return;
        const now = clock();
        if (hovered) books().ctas.left(indexOf(hovered), now);
        if (next) books().ctas.entered(indexOf(next), now);
        hovered = next;
    }
    tracker.guard.on('pointerover', 'ctas', (event: PointerEvent) => {
        const target = targetOf(event);
        if (event.pointerType !== 'touch') moveTo(target && ctaOf(target));
    });
    tracker.guard.listen(
        document.documentElement, 'pointerleave', 'ctas', (event: PointerEvent) => {
            if (event.target === document.documentElement) moveTo(null);
        });
    return {
        scan() {
            if (coarse && !observer) watchView();
            allCtas().forEach(indexOf);
        },
        clicked: (element) => books().ctas.clicked(indexOf(element)),
        reset() {
            observer?.disconnect();
            indexes = new Map();
            hovered = null;
        },
    };
};
