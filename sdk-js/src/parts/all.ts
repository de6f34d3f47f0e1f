import { watchBehaviour } from '../collect/behaviour';
import type { Part } from '../core/site';
import { readDialogues } from './dialogues';
import { hashFields } from './hashes';
import { keepQueue } from './keep';
import { linkDomains } from './links';
import { watchMoves } from './moves';
import { tellScores } from './scores';
import { twinPixels } from './twins';

/** What the full build adds to the core. */
export const PARTS: Part[] = [
    readDialogues, watchBehaviour, watchMoves, keepQueue, tellScores, linkDomains, twinPixels,
    hashFields,
];
