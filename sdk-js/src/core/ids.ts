/** Bytes as base64url without padding. */
export const base64url = (bytes: Uint8Array): string => {
    return btoa(String.fromCharCode(...bytes))
        .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
};

/** A UUIDv7 (48 bits of time, then randomness) as 22 characters. */
export const uuid7 = (epochMilliseconds: number): string => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const view = new DataView(bytes.buffer);
    view.setUint16(0, epochMilliseconds / 2 ** 32);
    view.setUint32(2, epochMilliseconds);
    bytes[6] = (bytes[6] & 15) | 0x70;
    bytes[8] = (bytes[8] & 63) | 0x80;
    return base64url(bytes);
};

/** Whether a stored or given text has the shape of our ids. */
export const isIdentifier = (text: unknown): text is string => {
    return typeof text === 'string' && /^[\w-]{22}$/.test(text);
};
