// fillbull N KEYS MODEL: fills BullMQ's queue with millrace envelopes of even keys.
const { Queue } = require('bullmq');
const { randomUUID } = require('crypto');
const [redisHost, redisPort] = process.env.REDIS_ADDR.split(':');
const queue = new Queue('jobs', { connection: { host: redisHost, port: +redisPort, db: 4 }, defaultJobOptions: { removeOnComplete: true } });
const pad = 'The quick brown fox jumps over the lazy dog; please summarise the quarterly numbers by region and explain the two largest changes in plain words.';
const [n, keys, model] = [+process.argv[2], +process.argv[3], process.argv[4]];
function envelope(i) {
  const session = 's-' + String(i % keys).padStart(4, '0');
  const now = new Date();
  const mark = `@${session}/${Math.floor(i / keys) + 1}/${process.hrtime.bigint()}@ `;
  return {
    v: 1, id: randomUUID(), kind: 'chat', tenant: 'default', session,
    input: [{ role: 'system', content: 'You are a helpful assistant.' }, { role: 'user', content: mark + pad }],
    model, params: { max_tokens: 64 }, priority: 'interactive', created_at: now.toISOString(),
    deadline: new Date(+now + 86400000).toISOString(), on_busy: 'enqueue',
  };
}
(async () => {
  for (let i = 0; i < n; i += 1000) {
    const bulk = [];
    for (let k = i; k < Math.min(n, i + 1000); k++) bulk.push({ name: 'llm', data: envelope(k) });
    await queue.addBulk(bulk);
  }
  console.log(JSON.stringify({ produced: n }));
  await queue.close();
  process.exit(0);
})();
