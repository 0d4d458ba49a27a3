// express + ioredis, SSE written by hand: a Redis stream read after each pub/sub wake-up, resumable.
import express from "express"; import Redis from "ioredis";
const [host, redisPort] = process.env.REDIS_ADDR.split(":"), redis = { host, port: +redisPort };
const sub = new Redis(redis), r = new Redis(redis); const app = express(); const chans = new Map(); let n = 0;
sub.on("message", (c, m) => { const set = chans.get(c); if (set) for (const f of set) f(m); });
async function join(key, f) { let s = chans.get(key); if (!s) { s = new Set(); chans.set(key, s); s.add(f); await sub.subscribe(key); } else s.add(f); return () => { s.delete(f); if (!s.size) { chans.delete(key); sub.unsubscribe(key); } }; }
const head = { "content-type": "text/event-stream", "cache-control": "no-cache", connection: "keep-alive" };
app.get("/stream/:ch", async (req, res) => {
  const key = "exs:" + req.params.ch; let last = req.headers["last-event-id"] || "0-0", busy = false, again = false, closed = false;
  const drain = async () => { if (busy) { again = true; return; } busy = true; do { again = false; const rows = await r.xrange(key, "(" + last, "+", "COUNT", 500); if (closed) break; let o = ""; for (const [id, f] of rows) { last = id; o += `id: ${id}\ndata: ${f[1]}\n\n`; } if (o) res.write(o); if (rows.length === 500) again = true; } while (again); busy = false; };
  res.writeHead(200, head); const off = await join("exw:" + req.params.ch, drain); req.on("close", () => { closed = true; off(); }); res.flushHeaders(); drain();
});
app.listen(+process.env.PORT, "127.0.0.1", 4096);
