import type { RoutePolicy } from '../collect/pages';

export interface Config {
    siteKey: string;
    endpoint: string;
    consent: number;
    /** The visitor has just chosen these bits, and the engine does not know yet. */
    consentIsNews: boolean;
    routes: RoutePolicy;
}

interface ScriptLike {
    src: string;
    getAttribute(name: string): string | null;
}

const PATH = '/v1/e';

function consentOf(text: string | null): number {
    const bits = text === null || text.trim() === '' ? NaN : Number(text);
    return bits >= 0 && bits <= 63 ? Math.floor(bits) : 1;
}

/** What the script's own tag says; null when it names no site key. */
export function configOf(script: ScriptLike): Config | null {
    const siteKey = script.getAttribute('data-key') || '';
    if (!/^[\w-]{1,32}$/.test(siteKey)) return null;
    const routes = script.getAttribute('data-spa');
    return {
        siteKey,
        endpoint: script.getAttribute('data-endpoint') || new URL(script.src).origin + PATH,
        consent: consentOf(script.getAttribute('data-consent')),
        consentIsNews: false,
        routes: routes === 'search' || routes === 'off' ? routes : 'path',
    };
}
