// What this browser remembers of its user: theme, shortcuts, put-off cards. No data of visitors.

export function remembered(key: string): string | null {
    try {
        return localStorage.getItem(`hub:${key}`);
    } catch {
        return null;
    }
}

export function remember(key: string, value: string | null): void {
    try {
        if (value === null) localStorage.removeItem(`hub:${key}`);
        else localStorage.setItem(`hub:${key}`, value);
    } catch {
        // A browser that keeps nothing still shows everything.
    }
}

export type Theme = 'system' | 'light' | 'dark';

export function theme(): Theme {
    const kept = remembered('theme');
    return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function setTheme(wanted: Theme): void {
    remember('theme', wanted === 'system' ? null : wanted);
    applyTheme();
}

export function applyTheme(): void {
    const wanted = theme();
    if (wanted === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = wanted;
}

export const shortcutsAreOn = (): boolean => remembered('shortcuts') !== 'off';
