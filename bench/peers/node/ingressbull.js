// ingressbull PORT: POST /jobs -> BullMQ add -> 202; with WORK=1 also works the jobs off (wbull.js).
const http = require('http');
const { Queue } = require('bullmq');
const { randomUUID } = require('crypto');
const [redisHost, redisPort] = process.env.REDIS_ADDR.split(':');
const queue = new Queue('jobs', { connection: { host: redisHost, port: +redisPort, db: 4 }, defaultJobOptions: { removeOnComplete: true } });
if (process.env.WORK) require('./wbull.js');
function valid(j) {
  return j.session_id && (j.kind === 'chat' || j.kind === 'analysis') && j.model && Array.isArray(j.messages) && j.messages.length > 0;
}
http.createServer((req, res) => {
  let body = '';
  req.setEncoding('utf8');
  req.on('data', x => body += x);
  req.on('end', async () => {
    const end = (status, o) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(o)); };
    try {
      const j = JSON.parse(body);
      if (!valid(j)) return end(422, { error: 'invalid' });
      j.id = randomUUID();
      j.input = j.messages;
      await queue.add('llm', j, { jobId: j.id });
      end(202, { job_id: j.id, status: 'queued' });
    } catch (e) { end(503, { error: 'queue' }); }
  });
}).listen(+process.argv[2], '127.0.0.1');
