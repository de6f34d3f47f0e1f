// A single-page application: the module in a bundle. Soft navigations are noticed by themselves
// (Navigation API, or history where there is none); with spa: 'off' call page() after each.
import { consent, identify, linkParam, onScore, start, track } from './hg.mjs';

start({
    key: 'YOUR_KEY',
    endpoint: 'https://HOST/v1/e',
    consent: 1,
    spa: 'path',
    linkHosts: 'checkout.example',
});

// The page may react to the engine's score.
onScore(({ band }) => document.body.classList.toggle('is-hot', band === 'hot'));

/** Called by the consent dialogue. */
export const agreed = () => consent(1 + 2 + 4 + 8);

/** After a login: the hash comes from your server (`h1:` and an HMAC of the account's id). */
export const signedIn = (hash) => identify(hash, { plan: 'studio' });

/** A link that a script builds carries the visitor to the other domain. */
export function goToCheckout(basket) {
    track('begin_checkout', { value: basket.total, currency: 'EUR', items: basket.items });
    const parameter = linkParam();
    location.assign('https://checkout.example/' + (parameter && '?' + parameter));
}
