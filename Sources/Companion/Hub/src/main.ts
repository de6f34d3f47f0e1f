import { Shell } from './shell';
import { applyTheme } from './core/memory';

applyTheme();
customElements.define('hg-shell', Shell);
void startWorker();

/** The worker keeps the shell for times without the companion; the Hub works without it as well. */
async function startWorker(): Promise<void> {
    if (!('serviceWorker' in navigator) || !window.isSecureContext) return;
    try {
        await navigator.serviceWorker.register(trusted('worker.js') as string);
    } catch {
        // Private windows refuse workers.
    }
}

interface PolicyFactory {
    createPolicy(
        name: string,
        rules: { createScriptURL(url: string): string },
    ): { createScriptURL(url: string): unknown };
}

/** The one address of a script that is not in the page; the policy knows no other. */
function trusted(address: string): unknown {
    const factory = (window as unknown as { trustedTypes?: PolicyFactory }).trustedTypes;
    if (!factory) return address;
    const policy = factory.createPolicy('hub', {
        createScriptURL: (url) => {
            if (url !== 'worker.js') throw new TypeError('not a script of the Hub');
            return url;
        },
    });
    return policy.createScriptURL(address);
}
