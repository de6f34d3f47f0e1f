/** A number as so many hexadecimal digits. */
export const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** FNV-1a, 32 bits, as 8 hexadecimal digits: tells texts apart, keeps no secret. */
export const hash32 = (text: string): string => {
    let hash = 0x811c9dc5;
    for (let index = 0; index < text.length; index++) {
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    return hex(hash >>> 0, 8);
};
