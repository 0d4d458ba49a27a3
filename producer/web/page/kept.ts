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
  /** Which tab has asked it, and when: two tabs would make two conversations of one question. */
  tab?: string;
  at?: number;
}

const places = {
  conversations: 'millrace.conversations',
  unsent: 'millrace.unsent',
  key: 'millrace.key',
  draft: 'millrace.draft.',
  tab: 'millrace.tab',
  made: 'millrace.made',
};
const conversationsMax = 200;
/** So long after it was asked, a tab that has not sent it will not. */
const abandonedMs = 60_000;

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

/** Outlives a reload, and is no other tab's. */
function ofTab(place: string): string {
  try {
    return sessionStorage.getItem(place) ?? '';
  } catch {
    return '';
  }
}

function putOfTab(place: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(place, text);
    else sessionStorage.removeItem(place);
  } catch {
    // Then it does not outlive it.
  }
}

export class Kept {
  private readonly tab = ofTab(places.tab) || freshName();

  /** Called after a change, here or in another tab. */
  onConversations: () => void = () => {};
  onKey: () => void = () => {};

  constructor() {
    putOfTab(places.tab, this.tab);
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

  /** What this tab is to send; '' means a conversation that is to be made. */
  unsentOf(conversation: string): Unsent[] {
    return this.unsent().filter((each) => each.conversation === conversation &&
        (conversation !== '' || each.tab === this.tab || (each.at ?? 0) < Date.now() - abandonedMs));
  }

  addUnsent(one: Unsent): void {
    write(places.unsent, JSON.stringify([...this.unsent(), {...one, tab: this.tab, at: Date.now()}]));
  }

  /** The conversation for which these were asked has been made. */
  moveUnsent(keys: string[], conversation: string): void {
    write(places.unsent, JSON.stringify(this.unsent().map(
        (each) => keys.includes(each.key) ? {...each, conversation} : each)));
  }

  sent(key: string): void {
    write(places.unsent, JSON.stringify(this.unsent().filter((each) => each.key !== key)));
  }

  /** What is written there and not sent; this tab's alone. */
  draft(conversation: string): string {
    return ofTab(places.draft + conversation);
  }

  putDraft(conversation: string, text: string): void {
    putOfTab(places.draft + conversation, text);
  }

  /** The conversation that this tab has made last, until it goes elsewhere. */
  made(): string {
    return ofTab(places.made);
  }

  putMade(conversation: string): void {
    putOfTab(places.made, conversation);
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
