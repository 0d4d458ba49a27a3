// Makes the one OpenAPI document of its parts:
//   node join.mjs OPENAPI_FOLDER CONTRACT_FOLDER OUT_FOLDER
// OUT_FOLDER gets openapi.json, and the JSON Schemas of CONTRACT_FOLDER in v1/schemas, with a list of them.
//
// every_surface.json is what all share. Every other part has `paths`, `components` and `errors`, the shape in
// which its surface tells errors (shapes, below). An operation says `errors: {status: what it means}`
// and, where these have headers of their own, `errorHeaders`; the shape, the headers of every answer and what the server itself may answer are added here.
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [folder, contract, out] = process.argv.slice(2);
if (!out) throw new Error('usage: node join.mjs OPENAPI_FOLDER CONTRACT_FOLDER OUT_FOLDER');

const methods = ['get', 'put', 'post', 'delete', 'patch'];

const problem = {'application/problem+json': {schema: {$ref: '#/components/schemas/Problem'}}};
const shapes = {
  problem,
  openai: {'application/json': {schema: {$ref: '#/components/schemas/OpenAiError'}}},
  detail: {'application/json': {schema: {$ref: '#/components/schemas/Detail'}}},
};

// What the server may answer to any request, told in the shape of its path…
const serverErrors = {
  413: 'The body is larger than this path takes.',
  500: 'The server failed; the fault is logged under `x-request-id`.',
};
// … or, where the path was not read, as a problem.
const headErrors = {
  400: 'The request is malformed, or its length ambiguous.',
  408: 'The request came too slowly.',
  414: 'The URL is longer than 8 KiB.',
  417: 'An `Expect` that is not `100-continue`.',
  431: 'The header is larger than 32 KiB.',
  501: 'A transfer encoding that is not `chunked`.',
  503: 'The server is full.',
  505: 'A version of HTTP that is neither 1.1 nor 1.0.',
};
// What a body is answered that may not even be read, on any path that takes a POST.
const bodyErrors = {415: 'The body is not JSON in UTF-8 by its `Content-Type`, or is encoded.'};
// What the door may answer on any path that is not open.
const doorErrors = {
  401: 'There are API keys, and none was sent or it is wrong.',
  403: 'The key has not the scope that this wants; or, where no key is wanted, a page of another origin asked, or by a name that is not in `ALLOWED_HOSTS`.',
  429: 'More requests than the key or the address is allowed.',
};
const passing = ['429', '503', '507'];
const rates = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

function mergeInto(target, part, where) {
  for (const [name, value] of Object.entries(part ?? {})) {
    if (name in target) throw new Error(`${where}: ${name} is there twice`);
    target[name] = value;
  }
}

// A schema of its own document as a component: its references begin at the root of this one.
function asComponent(schema, name) {
  const {$schema, $id, ...rest} = schema;
  const text = JSON.stringify(rest).replaceAll('"#/$defs/', `"#/components/schemas/${name}/$defs/`);
  return JSON.parse(text);
}

function addError(operation, status, words, content) {
  const told = operation.responses[status];
  if (!told) {
    operation.responses[status] = {description: words, content: structuredClone(content)};
    return;
  }
  for (const [type, form] of Object.entries(content)) told.content[type] ??= structuredClone(form);
}

// From the first key on all but open paths want one, with a scope.
function guard(operation, method) {
  const scope = operation.scope ?? (method === 'get' ? 'read' : 'submit');
  delete operation.scope;
  if (scope === 'open') {
    operation.security = [];
    return {};
  }
  operation.security = [{}, {key: [scope]}, {keyHeader: [scope]}];
  return doorErrors;
}

function headersOf(status, guarded) {
  const headers = {'x-request-id': {$ref: '#/components/headers/RequestId'}};
  if (passing.includes(status)) headers['Retry-After'] = {$ref: '#/components/headers/RetryAfter'};
  if (guarded && (status === '401' || status === '403'))
    headers['WWW-Authenticate'] = {$ref: '#/components/headers/Challenge'};
  if (guarded && status < '500')
    for (const name of rates) headers[name] = {$ref: `#/components/headers/${name}`};
  return headers;
}

function complete(operation, method, shape, where) {
  if (!operation.operationId || !operation.summary) throw new Error(`${where}: has no name`);
  const door = guard(operation, method);
  for (const [status, words] of Object.entries(operation.errors ?? {}))
    addError(operation, status, words, shapes[shape]);
  const errorHeaders = operation.errorHeaders ?? {};
  delete operation.errors;
  delete operation.errorHeaders;
  for (const [status, words] of Object.entries({...serverErrors, ...(method === 'post' ? bodyErrors : {}), ...door}))
    addError(operation, status, words, shapes[shape]);
  for (const [status, words] of Object.entries(headErrors))
    addError(operation, status, words, {...shapes[shape], ...problem});
  for (const [status, response] of Object.entries(operation.responses)) {
    response.headers = {
      ...headersOf(status, operation.security.length > 0),
      ...(status >= '400' ? errorHeaders : {}),
      ...response.headers,
    };
  }
}

// Every reference leads somewhere, and every component is led to.
function checkReferences(whole) {
  const used = new Set();
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (typeof node.$ref === 'string') {
      let found = whole;
      for (const step of node.$ref.slice(2).split('/')) found = found?.[step];
      if (!found) throw new Error(`${node.$ref} leads nowhere`);
      used.add(node.$ref.split('/').slice(0, 4).join('/'));
    }
    Object.values(node).forEach(visit);
  };
  visit(whole);
  for (const [kind, parts] of Object.entries(whole.components)) {
    if (kind === 'securitySchemes') continue;
    for (const name of Object.keys(parts)) {
      if (!used.has(`#/components/${kind}/${name}`))
        throw new Error(`components/${kind}/${name} is not used`);
    }
  }
}

const whole = read(join(folder, 'every_surface.json'));
whole.paths = {};
const ids = {};
for (const file of readdirSync(folder).filter((name) => name !== 'every_surface.json').sort()) {
  const part = read(join(folder, file));
  if (!shapes[part.errors]) throw new Error(`${file}: errors must be of ${Object.keys(shapes)}`);
  for (const [path, operations] of Object.entries(part.paths)) {
    for (const method of methods.filter((name) => name in operations)) {
      const where = `${file}: ${method} ${path}`;
      complete(operations[method], method, part.errors, where);
      mergeInto(ids, {[operations[method].operationId]: where}, file);
    }
  }
  mergeInto(whole.paths, part.paths, file);
  for (const [kind, parts] of Object.entries(part.components ?? {}))
    mergeInto(whole.components[kind] ??= {}, parts, `${file}: ${kind}`);
}

mkdirSync(join(out, 'v1/schemas'), {recursive: true});
const schemas = [];
for (const name of ['envelope', 'event', 'problem']) {
  const schema = read(join(contract, `${name}.schema.json`));
  const component = name[0].toUpperCase() + name.slice(1);
  if (name !== 'envelope')  // no route takes or gives one
    mergeInto(whole.components.schemas, {[component]: asComponent(schema, component)}, name);
  writeFileSync(join(out, `v1/schemas/${name}.schema.json`), JSON.stringify(schema));
  const {$id: id, title, description} = schema;
  schemas.push({id, title, description, href: `/v1/schemas/${name}.schema.json`});
}
writeFileSync(join(out, 'v1/schemas/index.json'), JSON.stringify({data: schemas}));
checkReferences(whole);
writeFileSync(join(out, 'openapi.json'), JSON.stringify(whole));
