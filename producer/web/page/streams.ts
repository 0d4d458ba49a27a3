// A tab's way to its jobs' events: through the worker that all tabs share, or, where a browser has
// none or it does not start, through a hub of its own.
import {type Fold, emptyFold, take} from './fold';
import {Hub} from './hub';
import {outside} from './outside';
import workerUrl from './shared.worker?sharedworker&url';
import type {FromHub, News, ToHub} from './wire';

export interface Follower {
  /** Called with the whole of it, once at the start and after each change. */
  changed(fold: Fold): void;
  /** There is no such job. */
  unknown(): void;
}

interface Watch {
  fold: Fold;
  followers: Set<Follower>;
}

export class Streams {
  onLink: (up: boolean) => void = () => {};
  onLocked: () => void = () => {};
  onNews: (news: News) => void = () => {};

  private readonly watches = new Map<string, Watch>();
  private post: Post;
  private key = '';

  constructor() {
    const take = (message: FromHub) => this.take(message);
    this.post = typeof SharedWorker === 'function' ? sharedHub(take, () => this.goAlone()) : ownHub(take);
    addEventListener('pagehide', (event) => {
      if (!(event as PageTransitionEvent).persisted) this.post({do: 'bye'});
    });
  }

  useKey(key: string): void {
    this.key = key;
    this.post({do: 'key', key});
  }

  tell(of: News): void {
    this.post({do: 'tell', of});
  }

  /** Until the function that it returns is called. */
  follow(job: string, follower: Follower): () => void {
    let watch = this.watches.get(job);
    if (watch) {
      watch.followers.add(follower);
      follower.changed(watch.fold);
    } else {
      watch = {fold: emptyFold(job), followers: new Set([follower])};
      this.watches.set(job, watch);
      this.post({do: 'follow', job});
    }
    return () => {
      watch.followers.delete(follower);
      if (watch.followers.size > 0 || this.watches.get(job) !== watch) return;
      this.watches.delete(job);
      this.post({do: 'leave', job});
    };
  }

  /** What the worker was told, or would have been. */
  private goAlone(): void {
    this.post = ownHub((message) => this.take(message));
    this.post({do: 'key', key: this.key});
    for (const job of this.watches.keys()) this.post({do: 'follow', job});
  }

  private take(message: FromHub): void {
    switch (message.is) {
      case 'link': return this.onLink(message.up);
      case 'locked': return this.onLocked();
      case 'news': return this.onNews(message.of);
      case 'fold': return this.changed(message.fold.job, () => message.fold);
      case 'events':
        return this.changed(message.job, (fold) => {
          for (const event of message.events) take(fold, event);
          return fold;
        });
      case 'unknown': {
        const followers = [...this.watches.get(message.job)?.followers ?? []];
        this.watches.delete(message.job);
        for (const follower of followers) follower.unknown();
      }
    }
  }

  private changed(job: string, change: (fold: Fold) => Fold): void {
    const watch = this.watches.get(job);
    if (!watch) return;
    watch.fold = change(watch.fold);
    for (const follower of [...watch.followers]) follower.changed(watch.fold);
  }
}

type Post = (message: ToHub) => void;

function sharedHub(take: (message: FromHub) => void, failed: () => void): Post {
  const worker = new SharedWorker(trusted(workerUrl), {type: 'module', name: 'millrace'});
  worker.onerror = failed;
  worker.port.onmessage = (message: MessageEvent<FromHub>) => take(message.data);
  return (message) => worker.port.postMessage(message);
}

function ownHub(take: (message: FromHub) => void): Post {
  const hub = new Hub(outside);
  // As a worker's messages do: later, and a copy.
  const tab = {post: (message: FromHub) => {
    const copy = structuredClone(message);
    queueMicrotask(() => take(copy));
  }};
  hub.join(tab);
  return (message) => hub.take(tab, message);
}

/** The page's policy lets no text become a script but through here. */
function trusted(url: string): string {
  const types = (globalThis as {trustedTypes?: TrustedTypes}).trustedTypes;
  if (!types) return url;
  const policy = types.createPolicy('millrace', {createScriptURL: (text) => text});
  return policy.createScriptURL(url) as unknown as string;
}

interface TrustedTypes {
  createPolicy(name: string, rules: {createScriptURL(text: string): string}):
      {createScriptURL(text: string): object};
}
