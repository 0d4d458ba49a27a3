// Puts Redoc's bundle into a folder: node make.mjs PACKAGE OUT_FOLDER
// Its menu shows a logo from its makers' server, who would hear of every reader; here it shows none.
import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [from, out] = process.argv.slice(2);
if (!out) throw new Error('usage: node make.mjs PACKAGE OUT_FOLDER');

const bundle = 'redoc.standalone.js';
const logo = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const whole = readFileSync(join(from, 'bundles', bundle), 'utf8');
if (!whole.includes(logo)) throw new Error(`${bundle} has no ${logo} any more: look what it asks for`);
writeFileSync(join(out, bundle), whole.replaceAll(logo, 'data:,'));
copyFileSync(join(from, 'bundles', `${bundle}.LICENSE.txt`), join(out, `${bundle}.LICENSE.txt`));
