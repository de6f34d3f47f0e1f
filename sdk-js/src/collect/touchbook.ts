const LONG_PRESS_MILLISECONDS = 500;
const TAP_PIXELS = 10;
const SWIPE_PIXELS = 30;
const FLICK_PIXELS_PER_SECOND = 1_500;
const DOUBLE_TAP_MILLISECONDS = 300;

export interface Finger { x: number; y: number; now: number }

export interface TouchBook {
    down(finger: Finger, fingers: number, onGallery: boolean): void;
    up(finger: Finger): void;
    /** Zooming with Ctrl and the wheel is the desktop's pinch; one gesture, many wheel events. */
    wheelZoom(now: number): void;
    selected(now: number): void;
    /** The `tp` array since the last take. */
    take(): number[];
}

/** Touch gestures of one page view. */
export function makeTouchBook(): TouchBook {
    let start: (Finger & { gallery: boolean }) | null = null;
    let pinching = false;
    let lastTap = -Infinity;
    let lastZoom = -Infinity;
    let lastSelection = -Infinity;
    let speeds = { sum: 0, count: 0 };
    let sums = [0, 0, 0, 0, 0, 0];
    let selections = 0;

    function tap(finger: Finger, held: number): void {
        if (held >= LONG_PRESS_MILLISECONDS) {
            sums[4]++;
            return;
        }
        sums[0]++;
        if (finger.now - lastTap < DOUBLE_TAP_MILLISECONDS) sums[5]++;
        lastTap = finger.now;
    }
    function stroke(from: Finger & { gallery: boolean }, x: number, y: number, held: number): void {
        const speed = (Math.hypot(x, y) * 1000) / Math.max(1, held);
        speeds = { sum: speeds.sum + speed, count: speeds.count + 1 };
        if (speed > FLICK_PIXELS_PER_SECOND) sums[2]++;
        if (from.gallery && Math.abs(x) >= SWIPE_PIXELS && Math.abs(x) > Math.abs(y)) sums[1]++;
    }
    return {
        down(finger, fingers, onGallery) {
            if (fingers > 1 && !pinching) sums[3]++;
            pinching = fingers > 1;
            start = pinching ? null : { ...finger, gallery: onGallery };
        },
        up(finger) {
            const from = start;
            start = null;
            pinching = false;
            if (!from) return;
            const [x, y] = [finger.x - from.x, finger.y - from.y];
            const held = finger.now - from.now;
            if (Math.hypot(x, y) <= TAP_PIXELS) tap(finger, held);
            else stroke(from, x, y, held);
        },
        wheelZoom(now) {
            if (now - lastZoom > 1000) sums[3]++;
            lastZoom = now;
        },
        selected(now) {
            if (now - lastSelection > 1000) selections++;
            lastSelection = now;
        },
        take() {
            const speed = speeds.count ? speeds.sum / speeds.count : 0;
            const taken = sums.concat(speed, selections).map(Math.round);
            sums = [0, 0, 0, 0, 0, 0];
            speeds = { sum: 0, count: 0 };
            selections = 0;
            return taken;
        },
    };
}
