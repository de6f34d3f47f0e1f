import { targetOf } from '../collect/elements';
import { LINKING } from '../core/bits';
import { isIdentifier } from '../core/ids';
import type { Site } from '../core/site';
import { hash32 } from './hash';
import { SECONDS, UNDO_MILLISECONDS, VERSION } from './limits';

const PARAMETER = '_hg';

/** The browser without its version: it may update itself between two pages. */
const coarse = (agent: string) => agent.replace(/[\d._]+/g, '');

const macOf = (siteKey: string, id: string, time: string, agent: string) =>
    hash32([siteKey, id, time, coarse(agent)].join());

/** What a link to another domain of the site carries. */
export const linkToken = (siteKey: string, id: string, seconds: number, agent: string): string => {
    const time = Math.floor(seconds).toString(36);
    return [VERSION, id, time, macOf(siteKey, id, time, agent)].join('.');
};

/** The id in a token that this site made less than two minutes ago for this browser; else null. */
export const idIn = (
    token: string, siteKey: string, seconds: number, agent: string): string | null => {
    const [version, id, time, mac] = token.split('.');
    const age = seconds - parseInt(time, 36);
    const holds = version === VERSION && isIdentifier(id) && Math.abs(age) <= SECONDS
        && mac === macOf(siteKey, id, time, agent);
    return holds ? id : null;
};

/** An address with the parameter, before any fragment. */
export const linkedUrl = (address: string, parameter: string): string => {
    return address.replace(/^([^?#]*)(\?[^#]*)?/, (_, path: string, query = '') =>
        path + (query ? query + '&' : '?') + parameter);
};

/** An address without the parameter, and what it held. */
export const unlinkedUrl = (address: string): { url: string; token: string } => {
    const found = /([?&])_hg=([^&#]*)(&?)/.exec(address);
    if (!found) return { url: address, token: '' };
    const [all, before, token, after] = found;
    return { url: address.replace(all, after && before), token };
};

/** Carries the device's id to other domains of the site, and takes the one that came along. */
export const linkDomains = (site: Site): void => {
    const { siteKey, options } = site.config;
    const { guard, identity, allows } = site.tracker;
    const hosts = (options.linkHosts || '').split(/[\s,]+/);
    const now = () => Date.now() / 1000;
    const { url, token } = unlinkedUrl(location.href);
    const linkParam = () => {
        const device = allows(LINKING) && identity.device();
        const { userAgent } = navigator;
        return device ? `${PARAMETER}=${linkToken(siteKey, device, now(), userAgent)}` : '';
    };
    if (token) history.replaceState(history.state, '', url);
    const came = idIn(token, siteKey, now(), navigator.userAgent);
    site.consented.push((bits) => {
        if (bits & LINKING) identity.offered = came;
    });

    guard.on('pointerdown click auxclick keydown', 'links', (event: Event) => {
        const link = targetOf(event)?.closest('a');
        const parameter = linkParam();
        if (!link || !parameter || hosts.indexOf(link.hostname) < 0) return;
        const before = link.getAttribute('href')!;
        if (link.hostname === location.hostname || unlinkedUrl(before).token) return;
        const during = linkedUrl(before, parameter);
        link.setAttribute('href', during);
        guard.later(UNDO_MILLISECONDS, 'links', () => {
            if (link.getAttribute('href') === during) link.setAttribute('href', before);
        });
    });
    site.commands['linkParam'] = (take: (parameter: string) => void) => take(linkParam());
    site.command.linkParam = linkParam;
};
