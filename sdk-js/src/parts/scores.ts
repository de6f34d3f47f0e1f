import type { Site } from '../core/site';
import type { Score } from '../outside';

/** `hg('onScore', listener)` and `hg.onScore(listener)`: the engine's answer to what is sent. */
export const tellScores = (site: Site): void => {
    const { guard } = site.tracker;
    const listeners: ((score: Score) => void)[] = [];
    const onScore = (listener: (score: Score) => void) => {
        listeners.push(guard.wrap('onScore', listener));
        site.sender.scored = (score) => listeners.forEach((told) => told(score));
    };
    site.commands['onScore'] = onScore;
    site.command.onScore = onScore;
};
