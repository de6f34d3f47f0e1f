import { now as clock } from '../core/natives';
import type { Guard } from '../core/guard';
import type { Books } from './books';
import { CATEGORY_CHARACTERS, HALF, SECTIONS_MAXIMUM } from './limits';
import { wordsBelow } from './words';

/** Steps of 5 % also notice when a block taller than the window covers half of it. */
const THRESHOLDS = Array.from({ length: 21 }, (_, step) => step / 20);

export interface SectionWatch {
    /** Looks for sections that are not watched yet; to be called when the browser is idle. */
    scan(): void;
    indexOf(target: Element): number;
    stop(): void;
}

const slug = (text: string): string => {
    return text.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, CATEGORY_CHARACTERS);
};

/** Blocks under headings stand in for sections where a page marks none. */
const headingBlocks = (): { element: Element; category: string }[] => {
    const blocks: { element: Element; category: string }[] = [];
    document.querySelectorAll('h1,h2,h3').forEach((heading) => {
        const element = heading.closest('section,article') || heading.parentElement;
        const isPage = !element || element === document.body || element.tagName === 'MAIN';
        if (isPage || blocks.some((block) => block.element === element)) return;
        blocks.push(
            { element: element!, category: '#' + slug(heading.textContent || '').slice(0, 31) });
    });
    return blocks;
};

const candidates = (): { element: Element; category: string }[] => {
    const marked = [...document.querySelectorAll('[data-section]')].map((element) => ({
        element, category: slug(element.getAttribute('data-section') || 'section'),
    }));
    return marked.length ? marked : headingBlocks();
};

const covers = (entry: IntersectionObserverEntry): boolean => {
    const shown = entry.intersectionRect;
    const area = entry.rootBounds ? entry.rootBounds.width * entry.rootBounds.height : 0;
    return entry.intersectionRatio >= HALF
        || (area > 0 && shown.width * shown.height >= area * HALF);
};

export const watchSections = (guard: Guard, { sections: book, activity }: Books): SectionWatch => {
    const indexes = new Map<Element, number>();
    const observer = new IntersectionObserver(guard.wrap('sections', (entries) => {
        const now = clock();
        const active = activity.activeTotal(now);
        for (const entry of entries) {
            const index = indexes.get(entry.target);
            if (index == null) continue;
            const counts = entry.isIntersecting && covers(entry);
            book.seen(now, active, index, entry.intersectionRatio, counts);
        }
    }), { threshold: THRESHOLDS });

    return {
        scan() {
            for (const { element, category } of candidates()) {
                if (indexes.size >= SECTIONS_MAXIMUM) return;
                if (indexes.has(element)) continue;
                indexes.set(element, book.add(category, wordsBelow(element)));
                observer.observe(element);
            }
        },
        indexOf(target) {
            for (let at: Element | null = target; at; at = at.parentElement) {
                const index = indexes.get(at);
                if (index != null) return index;
            }
            return -1;
        },
        stop: () => observer.disconnect(),
    };
};
