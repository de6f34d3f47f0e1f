// The pages, in the order of the navigation. Each is a module of its own, loaded when it is opened.

export interface PageEntry {
    name: string;
    title: string;
    /** The title while one thing of the list is looked at. */
    oneTitle?: string;
    /** Behind `g`. */
    key: string;
    /** Whether its figures are over a period. */
    usesRange?: boolean;
    load(): Promise<{ page(): Node[] }>;
}

export const PAGES: readonly PageEntry[] = [
    {
        name: 'overview',
        title: 'Overview',
        key: 'o',
        usesRange: true,
        load: () => import('./pages/overview'),
    },
    { name: 'live', title: 'Live', key: 'l', load: () => import('./pages/live') },
    {
        name: 'visitors',
        title: 'Visitors',
        oneTitle: 'Visitor',
        key: 'v',
        load: () => import('./pages/visitors'),
    },
    {
        name: 'acquisition',
        title: 'Acquisition',
        key: 'a',
        usesRange: true,
        load: () => import('./pages/acquisition'),
    },
    {
        name: 'behaviour',
        title: 'Behaviour',
        key: 'b',
        usesRange: true,
        load: () => import('./pages/behaviour'),
    },
    {
        name: 'conversions',
        title: 'Conversions',
        key: 'c',
        usesRange: true,
        load: () => import('./pages/conversions'),
    },
    { name: 'deliveries', title: 'Deliveries', key: 'd', load: () => import('./pages/deliveries') },
    { name: 'quality', title: 'Data quality', key: 'q', load: () => import('./pages/quality') },
    { name: 'settings', title: 'Settings', key: 's', load: () => import('./pages/settings') },
];
