// Reads a job's events with npm's eventsource until the terminal one; one JSON line an event.
import { EventSource } from 'eventsource';

const types = ['queued', 'started', 'status', 'delta', 'rewind', 'gap', 'snapshot', 'done', 'error',
  'cancelled', 'expired'];
const terminal = ['done', 'error', 'cancelled', 'expired'];

const source = new EventSource(process.argv[2]);
for (const type of types) {
  source.addEventListener(type, (event) => {
    // A lost connection is an `error` too, but no MessageEvent: it has no data.
    if (event.data === undefined) {
      if (source.readyState === EventSource.CLOSED) process.exit(3);
      return;
    }
    console.log(JSON.stringify({ type, id: event.lastEventId, data: event.data }));
    if (terminal.includes(type)) source.close();
  });
}
