/** Campaigns, clicks of ad networks, and our own links. */
const ALLOWED = /^(utm_[a-z_]{1,20}|([gd]|fb|tt|tw)clid|[gw]braid|msclkid|_hgl)$/;
const URL_CHARACTERS = 512;
const REFERRER_CHARACTERS = 256;

/** An address without fragment, credentials and any parameter that is not on the list. */
export const reducedUrl = (address: string, characters = URL_CHARACTERS): string => {
    try {
        const url = new URL(address);
        const kept = new URLSearchParams();
        url.searchParams.forEach((value, name) => {
            if (ALLOWED.test(name)) kept.append(name, value.slice(0, 128));
        });
        const query = kept.toString();
        return (url.origin + url.pathname + (query ? '?' + query : '')).slice(0, characters);
    } catch {
        return '';
    }
};

/** A referrer without query and fragment; empty when there is none. */
export const reducedReferrer = (address: string): string => {
    return reducedUrl(address, REFERRER_CHARACTERS).split('?')[0];
};
