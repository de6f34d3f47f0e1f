const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Sixteen bytes as the 22 characters of base64url without padding. */
export function base64url(bytes: Uint8Array): string {
    let text = '';
    for (let index = 0; index < bytes.length; index += 3) {
        const word
            = (bytes[index] << 16) | ((bytes[index + 1] || 0) << 8) | (bytes[index + 2] || 0);
        const digits = Math.min(4, bytes.length - index + 1);
        for (let digit = 0; digit < digits; digit++) {
            text += ALPHABET[(word >> (18 - 6 * digit)) & 63];
        }
    }
    return text;
}

/** A UUIDv7 (48 bits of time, then randomness) as 22 characters. */
export function uuid7(
    epochMilliseconds: number,
    fillRandom: (bytes: Uint8Array) => void = (bytes) => void crypto.getRandomValues(bytes)
): string {
    const bytes = new Uint8Array(16);
    fillRandom(bytes);
    for (let index = 5, rest = epochMilliseconds; index >= 0; index--) {
        bytes[index] = rest % 256;
        rest = Math.floor(rest / 256);
    }
    bytes[6] = (bytes[6] & 15) | 0x70;
    bytes[8] = (bytes[8] & 63) | 0x80;
    return base64url(bytes);
}

/** Whether a stored or given text has the shape of our ids. */
export function isIdentifier(text: unknown): text is string {
    return typeof text === 'string' && /^[\w-]{22}$/.test(text);
}
