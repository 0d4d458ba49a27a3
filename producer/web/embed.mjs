// Makes C++ of the files of a folder, so that they are part of the program:
//   node embed.mjs FOLDER FUNCTION OUT.cpp
// OUT.cpp defines std::span<const Asset> millrace::web::FUNCTION() (asset.h) over every file below
// FOLDER. Compressed forms are kept in OUT.cpp.d beside it; the assembler reads them from there.
import {createHash} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {extname, join, relative, resolve, sep} from 'node:path';
import {brotliCompressSync, constants, gzipSync} from 'node:zlib';

const [folder, name, out] = process.argv.slice(2);
if (!out) throw new Error('usage: node embed.mjs FOLDER FUNCTION OUT.cpp');

const contentTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};
// Vite's names: what-it-is, a dash, eight letters of its hash.
const namedByHash = /-[\w-]{8}\.\w+$/;
const worthKeeping = 0.9;

function filesBelow(place) {
  return readdirSync(place, {withFileTypes: true})
      .flatMap((entry) => entry.isDirectory() ? filesBelow(join(place, entry.name))
                                              : [join(place, entry.name)])
      .sort();
}

function compressed(bytes) {
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  return {gzip: gzipSync(bytes, {level: 9}), brotli};
}

const kept = `${resolve(out)}.d`;
rmSync(kept, {recursive: true, force: true});
mkdirSync(kept, {recursive: true});

const blocks = [];
const names = [];

// The bytes as a string_view's initialiser.
function embedded(bytes, label) {
  const file = join(kept, label);
  const symbol = `millrace_${name}_${label}`;
  writeFileSync(file, bytes);
  blocks.push(`".globl ${symbol}\\n.hidden ${symbol}\\n${symbol}:\\n"
    ".incbin \\"${file}\\"\\n"`);
  names.push(`extern const char ${symbol}[];`);
  return `{${symbol}, ${bytes.length}}`;
}

const rows = filesBelow(folder).map((file, index) => {
  const path = relative(folder, file).split(sep).join('/');
  const type = contentTypes[extname(file)];
  if (!type) throw new Error(`${path}: embed.mjs does not know this kind of file`);
  const bytes = readFileSync(file);
  const forms = compressed(bytes);
  const view = (form) => forms[form].length < worthKeeping * bytes.length
      ? embedded(forms[form], `${index}_${form}`) : '{}';
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 24);
  return `{"${path}", "${type}", ${embedded(bytes, `${index}_bytes`)},
       ${view('gzip')}, ${view('brotli')},
       "${hash}", ${namedByHash.test(path)}}`;
});

writeFileSync(out, `// Made by embed.mjs.
#include <span>

#include "producer/web/asset.h"

__asm__(".pushsection .rodata\\n"
    ${blocks.join('\n    ')}
    ".popsection\\n");

extern "C" {
${names.join('\n')}
}

namespace millrace::web {

std::span<const Asset> ${name}() {
  static const Asset assets[] = {
      ${rows.join(',\n      ')}};
  return assets;
}

}  // namespace millrace::web
`);
