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

/** Places of the sums, which are those of `tp`. */
const TAPS = 0;
const SWIPES = 1;
const FLICKS = 2;
const PINCHES = 3;
const LONG = 4;
const DOUBLE = 5;
const SPEED = 6;
const SELECTIONS = 7;

const freshSums = () => [0, 0, 0, 0, 0, 0, 0, 0];

/** Touch gestures of one page view. */
export const makeTouchBook = (): TouchBook => {
    let start: (Finger & { onGallery: boolean }) | null = null;
    let pinching = false;
    let lastTap = -Infinity;
    /** When a gesture that comes as many events was seen last, by its place. */
    const seen: { [place: number]: number } = {};
    let strokes = 0;
    let sums = freshSums();

    function tap(now: number, held: number): void {
        if (held >= LONG_PRESS_MILLISECONDS) {
            sums[LONG]++;
            return;
        }
        sums[TAPS]++;
        if (now - lastTap < DOUBLE_TAP_MILLISECONDS) sums[DOUBLE]++;
        lastTap = now;
    }
    function once(place: number, now: number): void {
        if (!(now - seen[place] <= 1000)) sums[place]++;
        seen[place] = now;
    }
    return {
        down(finger, fingers, onGallery) {
            if (fingers > 1 && !pinching) sums[PINCHES]++;
            pinching = fingers > 1;
            start = pinching ? null : { ...finger, onGallery };
        },
        up({ x, y, now }) {
            const from = start;
            start = null;
            pinching = false;
            if (!from) return;
            const [right, down, held] = [x - from.x, y - from.y, now - from.now];
            const distance = Math.hypot(right, down);
            if (distance <= TAP_PIXELS) return tap(now, held);
            const speed = (distance * 1000) / Math.max(1, held);
            sums[SPEED] += speed;
            strokes++;
            if (speed > FLICK_PIXELS_PER_SECOND) sums[FLICKS]++;
            const sideways = Math.max(SWIPE_PIXELS, Math.abs(down));
            if (from.onGallery && Math.abs(right) >= sideways) sums[SWIPES]++;
        },
        wheelZoom: (now) => once(PINCHES, now),
        selected: (now) => once(SELECTIONS, now),
        take() {
            const taken = sums;
            taken[SPEED] = taken[SPEED] / strokes || 0;
            sums = freshSums();
            strokes = 0;
            return taken.map(Math.round);
        },
    };
};
