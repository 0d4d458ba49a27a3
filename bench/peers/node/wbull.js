const { Worker } = require('bullmq'); const http = require('http');
const llm = new URL(process.env.LLM_URL);
const [redisHost, redisPort] = process.env.REDIS_ADDR.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 2000, maxFreeSockets: 2000 });
function call(j) { return new Promise((res, rej) => {
  const body = JSON.stringify({ model: j.model, messages: j.input });
  const r = http.request({ host: llm.hostname, port: llm.port, path: '/v1/chat/completions', method: 'POST', agent,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body)} }, rs => {
      let d = ''; rs.setEncoding('utf8'); rs.on('data', x => d += x); rs.on('end', () => { try { const o = JSON.parse(d); o.choices.length ? res() : rej(new Error('x')); } catch (e) { rej(e); } }); });
  r.on('error', rej); r.end(body); }); }
new Worker('jobs', async job => { await call(job.data); },
  { connection: { host: redisHost, port: +redisPort, db: 4 }, concurrency: 1000, removeOnComplete: { count: 0 } });
