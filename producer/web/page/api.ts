// Requests to this server. What it refuses is a Refused with its own words; a network that is away
// is an Away. When it asks for a key, so does the page, and the request is made again.

export class Refused extends Error {
  constructor(message: string, readonly status: number, readonly retryAfterMs: number,
              readonly code = '') {
    super(message);
  }
}

export class Away extends Error {}

interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Has a key, or asks for one; `refused`: the one it has is of no use. */
export interface Keys {
  key(): string;
  ask(refused: boolean): Promise<void>;
}

export class Api {
  /** After each request: whether there was an answer to it. */
  onAnswer: (answered: boolean) => void = () => {};

  constructor(private readonly keys: Keys) {}

  get<T>(path: string, asked: Asked = {}): Promise<T> {
    return this.call('GET', path, asked);
  }

  /** What is not JSON. */
  text(path: string): Promise<string> {
    return this.ask('GET', path, {});
  }

  post<T>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.call('POST', path, {body, headers});
  }

  remove<T>(path: string): Promise<T> {
    return this.call('DELETE', path, {});
  }

  private async call<T>(method: string, path: string, asked: Asked): Promise<T> {
    const text = await this.ask(method, path, asked);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  private async ask(method: string, path: string, asked: Asked): Promise<string> {
    for (;;) {
      const key = this.keys.key();
      const answer = await this.send(method, path, asked, key);
      if (answer.status === 401) {
        await this.keys.ask(key !== '' && key === this.keys.key());
        continue;
      }
      const text = await answer.text().catch(() => { throw new Away(); });
      if (!answer.ok) throw refused(answer, text);
      return text;
    }
  }

  private send(method: string, path: string, asked: Asked, key: string): Promise<Response> {
    const headers: Record<string, string> = {Accept: 'application/json', ...asked.headers};
    if (key) headers.Authorization = `Bearer ${key}`;
    const init: RequestInit = {method, headers, cache: 'no-store', signal: asked.signal ?? null};
    if (asked.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(asked.body);
    }
    return fetch(path, init).then((answer) => {
      this.onAnswer(true);
      return answer;
    }, (failure: unknown) => {
      if (asked.signal?.aborted) throw failure;
      this.onAnswer(false);
      throw new Away();
    });
  }
}

function refused(answer: Response, text: string): Refused {
  const seconds = Number(answer.headers.get('Retry-After') ?? 1);
  return new Refused(sentence(text) || `${answer.status} ${answer.statusText}`, answer.status,
                     Number.isFinite(seconds) ? seconds * 1000 : 1000, member(text, 'code'));
}

/** Native problems, OpenAI's errors and the conversations' details each say it in their way. */
function sentence(text: string): string {
  return member(text, 'detail') || member(text, 'title') || member(text, 'error', 'message');
}

/** What stands there in a JSON object; '' where nothing does. */
function member(text: string, ...path: string[]): string {
  try {
    let value: unknown = JSON.parse(text);
    for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
    return value === undefined || value === null ? '' : String(value);
  } catch {
    return '';
  }
}

/** True where asking again, later, may help. */
export function passing(failure: unknown): boolean {
  return failure instanceof Away ||
      (failure instanceof Refused && (failure.status >= 500 || failure.status === 429) &&
       failure.status !== 501 && failure.status !== 507);
}
