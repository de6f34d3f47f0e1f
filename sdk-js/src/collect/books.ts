import type { Activity } from './activity';
import { makeActivity } from './activity';
import type { ClickBook } from './clickbook';
import { makeClickBook } from './clickbook';
import type { CtaBook } from './ctabook';
import { makeCtaBook } from './ctabook';
import { isVisible } from './elements';
import type { KeyBook } from './keybook';
import { makeKeyBook } from './keybook';
import type { PointerBook } from './pointerbook';
import { makePointerBook } from './pointerbook';
import type { RageLimits } from './rage';
import type { ScrollBook } from './scroll';
import { makeScrollBook } from './scroll';
import type { SectionBook } from './sectionbook';
import { makeSectionBook } from './sectionbook';
import type { TouchBook } from './touchbook';
import { makeTouchBook } from './touchbook';

/** Everything that is measured about one page view; a new page view gets new books. */
export interface Books {
    activity: Activity;
    scroll: ScrollBook;
    sections: SectionBook;
    pointer: PointerBook;
    clicks: ClickBook;
    ctas: CtaBook;
    touch: TouchBook;
    keys: KeyBook;
}

export const makeBooks = (now: number, offset: number, rage?: RageLimits): Books => {
    return {
        activity: makeActivity(now, isVisible(), document.hasFocus()),
        scroll: makeScrollBook(offset),
        sections: makeSectionBook(),
        pointer: makePointerBook(),
        clicks: makeClickBook(rage),
        ctas: makeCtaBook(),
        touch: makeTouchBook(),
        keys: makeKeyBook(),
    };
};
