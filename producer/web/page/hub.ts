// One connection for all tabs and all jobs: who follows what, and where each job stands. It holds
// the fold of each job, so whoever comes later gets all of it at once, and a lost connection goes
// on from there: nothing twice, nothing lost.
import {type Fold, type JobEvent, emptyFold, ended, take} from './fold';
import {FrameReader} from './frames';
import type {FromHub, ToHub} from './wire';

/** As many jobs as one stream of the relay carries. */
const jobsPerStream = 100;
/** The relay says something every 15 s; a connection that does not is dead. */
const silenceMaxMs = 40_000;
const retryFirstMs = 250;
const retryMaxMs = 5_000;

export interface Tab {
  post(message: FromHub): void;
}

interface Followed {
  fold: Fold;
  tabs: Set<Tab>;
}

/** What the hub needs of the world; a test has its own. */
export interface Outside {
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** Resolves after so long, or earlier when the network is back. */
  wait(ms: number): Promise<void>;
  random(): number;
}

export class Hub {
  private readonly followed = new Map<string, Followed>();
  private readonly tabs = new Set<Tab>();
  private key = '';
  private locked = false;
  private up = true;
  private running = false;
  private connection: AbortController | null = null;

  constructor(private readonly outside: Outside) {}

  join(tab: Tab): void {
    this.tabs.add(tab);
  }

  take(tab: Tab, message: ToHub): void {
    switch (message.do) {
      case 'key': return this.takeKey(message.key);
      case 'follow': return this.follow(tab, message.job);
      case 'leave': return this.leave(tab, message.job);
      case 'tell':
        for (const other of this.tabs) if (other !== tab) other.post({is: 'news', of: message.of});
        return;
      case 'bye':
        this.tabs.delete(tab);
        for (const job of [...this.followed.keys()]) this.leave(tab, job);
    }
  }

  private takeKey(key: string): void {
    if (key === this.key && !this.locked) return;
    this.key = key;
    this.locked = false;
    this.reconnect();
  }

  private follow(tab: Tab, job: string): void {
    let entry = this.followed.get(job);
    if (!entry) {
      entry = {fold: emptyFold(job), tabs: new Set()};
      this.followed.set(job, entry);
      this.reconnect();
    }
    entry.tabs.add(tab);
    tab.post({is: 'fold', fold: entry.fold});
    tab.post({is: 'link', up: this.up});
    if (this.locked) tab.post({is: 'locked'});
  }

  private leave(tab: Tab, job: string): void {
    const entry = this.followed.get(job);
    entry?.tabs.delete(tab);
    // The stream may carry it on until the next reconnect; nobody listens.
    if (entry?.tabs.size === 0) this.followed.delete(job);
    if (this.followed.size === 0) this.connection?.abort();
  }

  /** Begins, or begins again with the jobs that are followed now. */
  private reconnect(): void {
    this.connection?.abort();
    if (this.running) return;
    this.running = true;
    // Jobs that come together share one connection.
    void Promise.resolve().then(() => this.run()).finally(() => {
      this.running = false;
      if (this.followed.size > 0 && !this.locked) this.reconnect();
    });
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (this.followed.size > 0 && !this.locked) {
      const jobs = [...this.followed.keys()].slice(0, jobsPerStream);
      this.connection = new AbortController();
      const ending = await this.stream(jobs, this.connection);
      if (ending === 'on') {
        failures = 0;
        continue;
      }
      if (ending === 'again') failures = 0;
      this.tell(false);
      const most = Math.min(retryMaxMs, retryFirstMs * 2 ** failures++);
      await this.outside.wait(most * (0.5 + this.outside.random() / 2));
    }
    this.tell(true);
  }

  /** One connection to its end. `on`: ask at once; `again`: after a break; `failed`: back off. */
  private async stream(jobs: string[], connection: AbortController):
      Promise<'on' | 'again' | 'failed'> {
    let heard = false;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort('silence'), silenceMaxMs);
    };
    try {
      listen();
      const answer = await this.outside.fetch(`/v1/events?jobs=${jobs.join(',')}`, {
        headers: this.headers(jobs), signal: connection.signal, cache: 'no-store',
      });
      if (answer.status === 401) return this.lock();
      if (answer.status === 404) return await this.dropUnknown(jobs);
      if (answer.status !== 200 || !answer.body) return 'failed';
      this.tell(true);
      const reader = answer.body.getReader();
      const frames = new FrameReader();
      for (;;) {
        const {done, value} = await reader.read();
        if (done) return this.followed.size === 0 ? 'on' : 'again';
        listen();
        heard = true;
        this.takeEvents(frames.take(value).map((frame) => JSON.parse(frame.data) as JobEvent));
        // A follower that waits for room gets it, and a stream of ended jobs is of no use.
        if (!jobs.some((job) => this.followed.has(job))) {
          connection.abort();
          return 'on';
        }
      }
    } catch {
      if (connection.signal.aborted && connection.signal.reason !== 'silence') return 'on';
      return heard ? 'again' : 'failed';
    } finally {
      clearTimeout(silence);
    }
  }

  private headers(jobs: string[]): Record<string, string> {
    const cursor = jobs.map((job) => `${job}:${this.followed.get(job)?.fold.seq ?? 0}`).join(',');
    return {'Last-Event-ID': cursor, ...this.authorization()};
  }

  private authorization(): Record<string, string> {
    return this.key ? {Authorization: `Bearer ${this.key}`} : {};
  }

  /** All events of one read reach a tab together. */
  private takeEvents(events: JobEvent[]): void {
    const news = new Map<string, JobEvent[]>();
    for (const event of events) {
      const entry = this.followed.get(event.job);
      if (!entry || !take(entry.fold, event)) continue;
      news.set(event.job, [...news.get(event.job) ?? [], event]);
    }
    for (const [job, own] of news) {
      const entry = this.followed.get(job)!;
      for (const tab of entry.tabs) tab.post({is: 'events', job, events: own});
      if (ended(entry.fold)) this.followed.delete(job);
    }
  }

  private lock(): 'on' {
    this.locked = true;
    for (const tab of this.tabs) tab.post({is: 'locked'});
    return 'on';
  }

  /** One unknown job refuses a whole stream: each is asked for by itself. */
  private async dropUnknown(jobs: string[]): Promise<'on' | 'failed'> {
    let dropped = 0;
    for (const job of jobs) {
      const answer = await this.outside.fetch(`/v1/jobs/${job}`, {headers: this.authorization()});
      if (answer.status !== 404 && answer.status !== 400) continue;
      for (const tab of this.followed.get(job)?.tabs ?? []) tab.post({is: 'unknown', job});
      this.followed.delete(job);
      ++dropped;
    }
    return dropped > 0 ? 'on' : 'failed';
  }

  private tell(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    for (const tab of this.tabs) tab.post({is: 'link', up});
  }
}
