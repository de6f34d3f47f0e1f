// Prints the members that the build may rename: those declared in src/*.ts and neither by the
// browser nor in a .d.ts file (src/outside.d.ts holds every name that somebody else reads). Fails
// where a type that describes something from outside stands elsewhere, since its members would be
// renamed, too.
import { createRequire } from 'node:module';
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';

const SHORTEST = 3; // Shorter ones gain nothing; most names on the wire are as short.
const compiler = realpathSync(execFileSync('which', ['tsc'], { encoding: 'utf8' }).trim());
const ts = createRequire(import.meta.url)(join(dirname(compiler), '../lib/typescript.js'));

const folder = dirname(new URL(import.meta.url).pathname);
const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

const kept = new Set();
const own = new Set();
const faults = [];

const isMember = (node) => ts.isPropertySignature(node) || ts.isMethodSignature(node)
    || ts.isPropertyDeclaration(node) || ts.isPropertyAssignment(node)
    || ts.isShorthandPropertyAssignment(node) || ts.isMethodDeclaration(node)
    || ts.isGetAccessor(node) || ts.isSetAccessor(node);

/** `x as { member: … }` says that somebody else made x. */
function isCast(node) {
    for (let at = node.parent; at; at = at.parent) {
        if (ts.isAsExpression(at)) return ts.isTypeNode(node.parent) && node.pos >= at.type.pos;
        if (ts.isStatement(at)) return false;
    }
    return false;
}

/** Keys that are data must be quoted: nothing else tells them from members. */
function isData(node) {
    if (!ts.isObjectLiteralExpression(node.parent)) return false;
    const type = checker.getContextualType(node.parent);
    return Boolean(type) && checker.getIndexInfosOfType(checker.getNonNullableType(type)).length > 0
        && !type.getProperty(node.name.text);
}

function visit(node, file) {
    const global = file.isDeclarationFile
        && (ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node));
    if ((isMember(node) || global) && node.name && ts.isIdentifier(node.name)) {
        (file.isDeclarationFile ? kept : own).add(node.name.text);
        if (!file.isDeclarationFile && (isCast(node) || isData(node))) {
            faults.push(`${file.fileName}: ${node.getText()}`);
        }
    }
    ts.forEachChild(node, (child) => visit(child, file));
}

for (const file of program.getSourceFiles()) visit(file, file);
const unknown = faults.filter((fault) => !kept.has(/: (\w+)/.exec(fault)[1]));
if (unknown.length) {
    console.error('The build would rename these: quote keys that are data, and declare what '
        + 'somebody else reads in src/outside.d.ts.\n' + unknown.join('\n'));
    process.exit(1);
}
const names = [...own].filter((name) => name.length >= SHORTEST && !kept.has(name)).sort();
console.log(names.join('\n'));
