import { now as clock } from '../core/natives';
import type { Tracker } from '../core/tracker';
import type { Books } from './books';
import type { HeatBook } from './heatbook';
import { depthOf, hasSelection, isPrivate, isTextField, targetOf } from './elements';
import { keyKind } from './keybook';

const GALLERY = '[data-section=gallery],[data-gallery]';
const SEARCH = '[type=search],[role=search] input,[role=searchbox],[data-form=search] input';

/** Mouse movement: the handler does arithmetic once in 50 ms and reads no layout. */
export const watchPointer = (
    tracker: Tracker, books: () => Books, heat: HeatBook | null): void => {
    let [width, height] = [innerWidth, innerHeight];
    tracker.guard.listen(window, 'resize', 'pointer', () => {
        tracker.guard.idle('pointer', 1000, () => {
            [width, height] = [innerWidth, innerHeight];
        });
    });
    tracker.guard.on('pointermove', 'pointer', (event: PointerEvent) => {
        const now = clock();
        if (heat) heat.moved(event.pageX / width, event.pageY, now);
        if (event.pointerType !== 'mouse') return;
        books().pointer.moved(event.clientX, event.clientY, now, width || 1, height || 1);
    });
};

export const watchTouch = (tracker: Tracker, books: () => Books, moved: () => void): void => {
    const finger
        = (touch: Touch) => ({ x: touch.clientX, y: touch.clientY, now: clock() });
    let touching = false;
    tracker.guard.on('touchstart', 'touch', (event: TouchEvent) => {
        const target = targetOf(event);
        touching = true;
        const onGallery = !!target && !!target.closest(GALLERY);
        books().touch.down(finger(event.touches[0]), event.touches.length, onGallery);
    });
    tracker.guard.on('touchend', 'touch', (event: TouchEvent) => {
        if (event.changedTouches.length) books().touch.up(finger(event.changedTouches[0]));
    });
    tracker.guard.on('wheel', 'touch', (event: WheelEvent) => {
        if (event.ctrlKey) books().touch.wheelZoom(clock());
    });
    tracker.guard.on('selectionchange', 'touch', () => {
        moved();
        if (touching && hasSelection()) books().touch.selected(clock());
    });
};

/** Keys as kinds, and never those of password, card or private fields. */
export const watchKeys = (tracker: Tracker, books: () => Books, acted: () => void): void => {
    tracker.guard.on('keydown', 'keys', (event: KeyboardEvent) => {
        const target = targetOf(event);
        if (!target || !event.key || event.repeat || isPrivate(target)) return;
        const kind = keyKind(event, isTextField(target), !!target.closest(SEARCH));
        if (!kind) return;
        books().keys.key(kind, clock());
        acted();
    });
};

/** Scrolling of the document, read once per frame. */
export const watchScroll = (
    tracker: Tracker, books: () => Books, documentPixels: () => number, moved: () => void
): void => {
    let asked = false;
    const measure = tracker.guard.wrap('scroll', () => {
        asked = false;
        const { scroll, sections } = books();
        scroll.moved(clock(), scrollY, depthOf(documentPixels()), sections.anyShown());
    });
    tracker.guard.on('scroll', 'scroll', (event: Event) => {
        books().activity.input(clock());
        moved();
        if (asked || event.target !== document) return;
        asked = true;
        requestAnimationFrame(measure);
    });
};
