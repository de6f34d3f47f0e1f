// Node has no window and no storage: what modules take from them when they are loaded.
const missing = (name: string, value: unknown) => {
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
};

missing('window', globalThis);
missing('navigator', {});
missing('location', {
    href: 'https://shop.example/', hostname: 'shop.example', protocol: 'https:',
});
