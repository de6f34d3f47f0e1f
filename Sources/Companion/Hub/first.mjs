// Which modules the first screen loads, by esbuild's account. Run by itself, it names them in the
// page, so that the browser fetches all of them at once instead of one after the other.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Names of the modules of the shell and of the Overview, without what those load later. */
export function firstModules(folder) {
    const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8'));
    const outputs = new Map(
        Object.entries(meta.outputs).map(([path, output]) => [basename(path), output]),
    );
    const found = new Set();
    const follow = (name) => {
        if (found.has(name)) return;
        found.add(name);
        for (const one of outputs.get(name)?.imports ?? []) {
            if (one.kind === 'import-statement') follow(basename(one.path));
        }
    };
    follow('hub.js');
    follow([...outputs].find(([, one]) => one.entryPoint?.endsWith('pages/overview.ts'))[0]);
    return [...found];
}

if (process.argv[1]?.endsWith('first.mjs')) {
    const folder = process.argv[2];
    const page = join(folder, 'index.html');
    const links = firstModules(folder)
        .filter((name) => name !== 'hub.js')
        .map((name) => `<link rel="modulepreload" href="${name}">\n`)
        .join('');
    writeFileSync(page, readFileSync(page, 'utf8').replace('</head>', links + '</head>'));
}
