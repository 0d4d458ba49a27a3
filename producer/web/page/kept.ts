// What this browser keeps: the list of conversations, what is on its way to the server, the key.
// The key is in localStorage, not in sessionStorage: each new tab would ask for it again, and what
// could read one could read the other. Other tabs hear of every change.

export interface Conversation {
  /** On the server; '' until it has been made there. */
  id: string;
  title: string;
  /** When something was last asked in it. */
  at: number;
}

/** A question that the server has not confirmed. */
export interface Unsent {
  /** Its Idempotency-Key: sent twice, it is one question. */
  key: string;
  conversation: string;
  text: string;
}

const places = {
  conversations: 'millrace.conversations',
  unsent: 'millrace.unsent',
  key: 'millrace.key',
  draft: 'millrace.draft.',
};
const conversationsMax = 200;

/** Storage may be forbidden, or full; then this page keeps it while it is open. */
const memory = new Map<string, string>();

function read(place: string): string {
  try {
    return localStorage.getItem(place) ?? memory.get(place) ?? '';
  } catch {
    return memory.get(place) ?? '';
  }
}

function write(place: string, text: string): void {
  try {
    if (text) localStorage.setItem(place, text);
    else localStorage.removeItem(place);
    memory.delete(place);
  } catch {
    memory.set(place, text);
  }
}

function list<T>(place: string): T[] {
  try {
    const found: unknown = JSON.parse(read(place) || '[]');
    return Array.isArray(found) ? found as T[] : [];
  } catch {
    return [];
  }
}

export class Kept {
  /** Called after a change, here or in another tab. */
  onConversations: () => void = () => {};
  onKey: () => void = () => {};

  constructor() {
    addEventListener('storage', (event) => {
      const {key} = event as StorageEvent;
      if (key === places.conversations || key === null) this.onConversations();
      if (key === places.key || key === null) this.onKey();
    });
  }

  /** The one that was used last comes first. */
  conversations(): Conversation[] {
    return list<Conversation>(places.conversations).sort((a, b) => b.at - a.at);
  }

  conversation(id: string): Conversation | undefined {
    return this.conversations().find((each) => each.id === id);
  }

  put(conversation: Conversation): void {
    const others = this.conversations().filter((each) => each.id !== conversation.id);
    const all = [conversation, ...others].sort((a, b) => b.at - a.at).slice(0, conversationsMax);
    write(places.conversations, JSON.stringify(all));
    this.onConversations();
  }

  remove(id: string): void {
    const others = this.conversations().filter((each) => each.id !== id);
    write(places.conversations, JSON.stringify(others));
    write(places.unsent, JSON.stringify(this.unsent().filter((each) => each.conversation !== id)));
    this.onConversations();
  }

  unsent(): Unsent[] {
    return list<Unsent>(places.unsent);
  }

  addUnsent(one: Unsent): void {
    write(places.unsent, JSON.stringify([...this.unsent(), one]));
  }

  sent(key: string): void {
    write(places.unsent, JSON.stringify(this.unsent().filter((each) => each.key !== key)));
  }

  /** What is written there and not sent; this tab's alone. */
  draft(conversation: string): string {
    try {
      return sessionStorage.getItem(places.draft + conversation) ?? '';
    } catch {
      return '';
    }
  }

  putDraft(conversation: string, text: string): void {
    try {
      if (text) sessionStorage.setItem(places.draft + conversation, text);
      else sessionStorage.removeItem(places.draft + conversation);
    } catch {
      // Then it is in the box alone.
    }
  }

  key(): string {
    return read(places.key);
  }

  useKey(key: string): void {
    write(places.key, key);
    this.onKey();
  }
}

/** A name nobody else will choose; crypto.randomUUID exists on secure origins only. */
export function freshName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)),
                    (byte) => byte.toString(16).padStart(2, '0')).join('');
}
