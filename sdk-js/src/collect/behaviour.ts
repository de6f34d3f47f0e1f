import { INFERENCE, PROFILING } from '../core/bits';
import { now as clock } from '../core/natives';
import { isOn } from '../core/config';
import type { Behaviour, Site } from '../core/site';
import { acted } from '../parts/moves';
import { wordsBelow } from './words';
import { makeBooks } from './books';
import { watchClicks } from './clicks';
import { watchCtas } from './ctas';
import { depthOf, isVisible } from './elements';
import { watchForms } from './forms';
import { watchKeys, watchPointer, watchScroll, watchTouch } from './gestures';
import { makeHeatBook } from './heatbook';
import { BLUR_SUMMARY_MILLISECONDS } from './limits';
import type { SectionWatch } from './sections';
import { watchSections } from './sections';
import type { PageTotals } from './summary';
import { summaryOf } from './summary';

/** Active time after which the n-th summary of a page view is due: 15, 30, 60, 120, 180 s … */
export const markAt = (index: number) =>
    (index < 3 ? 15_000 * 2 ** index : 60_000 * (index - 1));

export const watchBehaviour = (site: Site): void => {
    const { tracker } = site;
    const { guard } = tracker;
    const { options } = site.config;
    let books = makeBooks(clock(), 0, options.rage);
    let sections: SectionWatch | null = null;
    let part = 0;
    let mark = 0;
    let totals: PageTotals = [0, 0, 0, 0];
    let timerRuns = false;
    let documentPixels = 0;
    const current = () => books;

    const ctas = watchCtas(tracker, current);
    const forms = watchForms(tracker);
    const act = () => {
        books.activity.input(clock());
        acted(site);
    };
    const dead = watchClicks(tracker, current,
        (target) => (sections ? sections.indexOf(target) : -1), act, ctas.clicked, options.dead);
    const heat = isOn(options.heatmap) ? makeHeatBook() : null;
    watchPointer(tracker, current, heat);
    watchTouch(tracker, current, dead.moved);
    watchKeys(tracker, current, act);
    watchScroll(tracker, current, () => documentPixels, dead.moved);
    guard.on('pointermove pointerdown keydown touchstart wheel', 'activity', () => {
        books.activity.input(clock());
        beat();
    });
    guard.listen(window, 'focus blur', 'activity', (event: Event) => {
        if (event.target !== window) return;
        shown();
        // Looking at another window is a natural stop: what was done until now is told.
        if (event.type === 'blur') onBlur();
    });
    // The observer hands the height over without a layout read of ours.
    guard.wrap('scroll', () => {
        new ResizeObserver(guard.wrap('scroll', (entries: ResizeObserverEntry[]) => {
            documentPixels = entries[entries.length - 1].contentRect.height;
        })).observe(document.documentElement);
    })();
    guard.on('focusin', 'dead', dead.shifted);

    const watchNewSections = guard.wrap('sections', () => {
        sections?.stop();
        sections = null;
        sections = watchSections(guard, books);
    });
    function shown(): void {
        books.activity.visibility(clock(), isVisible(), document.hasFocus());
        dead.shifted();
        beat();
    }
    function onBlur(): void {
        const unsent = books.activity.activeTotal(clock()) - totals[0];
        if (unsent < BLUR_SUMMARY_MILLISECONDS) return;
        self.summarise(false);
        tracker.sendSoon();
    }
    /** Runs the timer to the next summary while somebody is active; idle pages have none. */
    function beat(): void {
        const now = clock();
        if (timerRuns || !books.activity.isActive(now)) return;
        timerRuns = true;
        const rest = markAt(mark) - books.activity.activeTotal(now);
        guard.later(Math.max(250, rest), 'summary', () => {
            timerRuns = false;
            if (books.activity.activeTotal(clock()) >= markAt(mark)) {
                mark++;
                self.summarise(false);
                tracker.sendSoon();
            }
            beat();
        });
    }
    const self: Behaviour = {
        begin() {
            const now = clock();
            books = makeBooks(now, scrollY, options.rage);
            part = mark = 0;
            totals = [0, 0, 0, 0];
            beat();
            watchNewSections();
            ctas.reset();
            dead.shifted();
        },
        scan() {
            if (!tracker.allows(PROFILING)) return;
            sections?.scan();
            ctas.scan();
            documentPixels = documentPixels || document.documentElement.scrollHeight;
            books.scroll.saw(depthOf(documentPixels));
        },
        summarise(ends) {
            if (!tracker.allows(PROFILING)) return;
            forms.progress();
            const now = clock();
            const fields = summaryOf(books, now, part + 1, totals, ends, tracker.allows(INFERENCE));
            if (!fields) return;
            if (ends && heat) fields.hm = heat.take(documentPixels);
            part++;
            totals = (fields.pt as number[]).slice(0, 4) as PageTotals;
            tracker.emit('ps', fields);
            guard.idle('sections', 2000, self.scan);
        },
        leave() {
            self.summarise(true);
            forms.leave();
        },
        shown,
    };
    site.words = wordsBelow;
    site.behaviour = self;
    for (const name of Object.keys(self) as 'summarise'[]) {
        self[name] = guard.wrap('behaviour', self[name]);
    }
};
