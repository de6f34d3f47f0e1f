import { page as window } from '../core/natives';
import type { Site } from '../core/site';
import { attempt } from '../core/storage';
import type { Fields, Page } from '../outside';
import { STRING_CHARACTERS } from './limits';

const PURPOSES = ['analytics_storage', 'ad_storage', 'ad_user_data', 'ad_personalization'];

/** Google's Consent Mode as the page set it: a letter each for granted, denied and unknown. */
const consentMode = (calls: ArrayLike<unknown>[]): string | undefined => {
    const state: { [purpose: string]: string } = {};
    for (const call of [...calls]) {
        if (call && call[0] === 'consent') Object.assign(state, call[2]);
    }
    const letters = PURPOSES.map((purpose) => (state[purpose] || 'u')[0]).join('');
    return /^[gdu]{4}$/.test(letters) && letters !== 'uuuu' ? letters : undefined;
};

const bounded = (text?: string) =>
    (text && text.length <= STRING_CHARACTERS ? text : undefined);

/**
 * What the page's consent dialogues say, for every batch: the engine remembers nobody's answers.
 * `changed` is called when the visitor has just answered one.
 */
export const watchSignals = (page: Page, changed: () => void): () => Fields => {
    const told: Fields = {};
    const { __tcfapi: tcf, __gpp: gpp, __uspapi: usPrivacy } = page;
    // A dialogue that throws says nothing.
    attempt(() => {
        tcf?.('addEventListener', 2, (data) => {
            const before = told.tc;
            if (data) told.tc = bounded(data.tcString);
            if (before && before !== told.tc) changed();
        });
        gpp?.('addEventListener', (event) => {
            if (event?.pingData) told.gp = bounded(event.pingData.gppString);
        });
        usPrivacy?.('getUSPData', 1, (data) => {
            if (data) told.up = bounded(data.uspString);
        });
    });
    return () => {
        told.gm = page.dataLayer && consentMode(page.dataLayer);
        return told;
    };
};

/** Adds what dialogues say to every batch, and tells the engine when an answer changed. */
export const readDialogues = ({ tracker }: Site): void => {
    tracker.signals = watchSignals(window, () => {
        tracker.sealUp();
        tracker.emit('cs', { bits: tracker.granted, src: 'tcf' }, true);
    });
};
