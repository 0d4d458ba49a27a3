// A conversation as this page holds it: what was asked, and where its answer stands.
import {Away, Refused, passing} from './api';
import {shownFold, type Shown} from './answer';
import {type Kept, type Unsent, freshName} from './kept';
import type {Message, Server} from './server';
import type {Streams} from './streams';

export interface Turn {
  /** The job's id, or, until there is one, the key of the request for it. */
  id: string;
  question: string;
  shown: Shown;
  job: string;
}

const sendAgainMs = 1500;
const phases: Record<string, Shown['phase']> = {
  complete: 'succeeded', interrupted: 'cancelled', failed: 'failed', expired: 'expired',
};

/** One conversation while it is open. `onTurn` hears of every change of a turn, and of new ones. */
export class Turns {
  readonly turns: Turn[] = [];
  onTurn: (turn: Turn) => void = () => {};
  /** The server does not know it (any more). */
  onGone: () => void = () => {};
  /** It has its id from the server. */
  onMade: (id: string) => void = () => {};

  private readonly unfollow = new Map<string, () => void>();
  private closed = false;

  /** `id`: '' for one that is made with its first question. */
  constructor(public id: string, private readonly server: Server, private readonly streams: Streams,
              private readonly kept: Kept, private readonly simulated: () => boolean) {}

  close(): void {
    this.closed = true;
    for (const stop of this.unfollow.values()) stop();
    this.unfollow.clear();
  }

  /** What the server has of it, and what is still on its way there. */
  async load(): Promise<void> {
    if (this.id !== '') {
      const messages = await this.insist(() => this.server.messages(this.id));
      if (!messages || this.closed) return;
      for (const message of messages) this.takeMessage(message);
      this.followOpen();
    }
    for (const unsent of this.kept.unsent().filter((each) => each.conversation === this.id))
      if (!this.turns.some((turn) => turn.id === unsent.key)) void this.send(unsent);
  }

  /** Another tab has asked something here. */
  async reload(): Promise<void> {
    if (this.id === '') return;
    const messages = await this.server.messages(this.id).catch(() => null);
    if (!messages || this.closed) return;
    for (const message of messages) this.takeMessage(message);
    this.followOpen();
  }

  async ask(text: string): Promise<void> {
    const unsent = {key: freshName(), conversation: this.id, text};
    this.kept.addUnsent(unsent);
    await this.send(unsent);
  }

  async stop(turn: Turn): Promise<void> {
    if (turn.job) {
      await this.server.cancel(turn.job);
      return;
    }
    this.kept.sent(turn.id);
    this.change(turn, {...turn.shown, phase: 'cancelled'});
  }

  /** It has become known that a simulator answers. */
  markSimulated(): void {
    for (const turn of this.turns) this.change(turn, {...turn.shown, simulated: true});
  }

  live(): Turn | undefined {
    return this.turns.find((turn) => ['queued', 'running', 'sending', 'unsent'].includes(turn.shown.phase));
  }

  /** Until the server has it; a question that it refuses stays with its words. */
  private async send(unsent: Unsent): Promise<void> {
    const turn = this.add({
      id: unsent.key, question: unsent.text, job: '',
      shown: {phase: 'sending', text: '', simulated: false},
    });
    while (!this.closed && turn.shown.phase !== 'cancelled') {
      try {
        if (this.id === '') {
          this.id = await this.server.newConversation();
          this.kept.sent(unsent.key);
          this.kept.addUnsent({...unsent, conversation: this.id});
          this.onMade(this.id);
        }
        const job = await this.server.ask(this.id, unsent.text, unsent.key);
        this.kept.sent(unsent.key);
        this.streams.tell({conversation: this.id});
        // It was stopped while it was on its way.
        if ((turn.shown.phase as string) === 'cancelled') return void await this.server.cancel(job);
        if (this.closed) return;
        if (this.turns.some((other) => other !== turn && other.job === job)) return;
        turn.job = job;
        this.follow(turn);
        return;
      } catch (failure) {
        if (!passing(failure)) {
          this.kept.sent(unsent.key);
          const gone = failure instanceof Refused && failure.status === 404;
          if (gone) this.onGone();
          return this.change(turn, {
            ...turn.shown, phase: 'failed', error: failure instanceof Error ? failure.message : '',
          });
        }
        this.change(turn, {...turn.shown, phase: 'unsent'});
        await pause(failure instanceof Refused ? failure.retryAfterMs : sendAgainMs);
      }
    }
  }

  private takeMessage(message: Message): void {
    let turn = this.turns.find((each) => each.job === message.job_id);
    if (message.role === 'user') {
      if (turn) return;
      this.add({
        id: message.job_id, question: message.content, job: message.job_id,
        shown: {phase: 'unknown', text: '', simulated: false},
      });
      return;
    }
    turn ??= this.add({
      id: message.job_id, question: '', job: message.job_id,
      shown: {phase: 'unknown', text: '', simulated: false},
    });
    // A stream that is under way has it all, and in its order.
    if (this.unfollow.has(turn.id)) return;
    const phase = phases[message.status] ?? 'succeeded';
    this.change(turn, {...turn.shown, phase, text: message.content, simulated: this.simulated()});
    if (phase === 'failed') void this.tellWhy(turn);
  }

  /** Why a job failed is with the job; a message has its words alone. */
  private async tellWhy(turn: Turn): Promise<void> {
    const job = await this.server.job(turn.job).catch(() => null);
    if (job?.error) this.change(turn, {...turn.shown, error: job.error.message});
  }

  /** Questions without an answer: their jobs wait or run, or ended before they said anything. */
  private followOpen(): void {
    for (const turn of this.turns)
      if (turn.job && turn.shown.phase === 'unknown' && !this.unfollow.has(turn.id)) this.follow(turn);
  }

  private follow(turn: Turn): void {
    if (this.unfollow.has(turn.id)) return;
    this.unfollow.set(turn.id, () => {});
    this.unfollow.set(turn.id, this.streams.follow(turn.job, {
      changed: (fold) => this.change(turn, shownFold(fold, this.simulated())),
      unknown: () => this.change(turn, {...turn.shown, phase: 'unknown'}),
    }));
  }

  private add(turn: Turn): Turn {
    this.turns.push(turn);
    this.onTurn(turn);
    return turn;
  }

  private change(turn: Turn, shown: Shown): void {
    turn.shown = shown;
    if (!this.closed) this.onTurn(turn);
  }

  /** Asks until there is an answer; nothing when the conversation is gone. */
  private async insist<T>(ask: () => Promise<T>): Promise<T | null> {
    while (!this.closed) {
      try {
        return await ask();
      } catch (failure) {
        if (failure instanceof Refused && failure.status === 404) {
          this.onGone();
          return null;
        }
        if (!passing(failure)) throw failure;
        await pause(failure instanceof Away ? sendAgainMs : 1000);
      }
    }
    return null;
  }
}

/** So long, or until the network is back. */
function pause(ms: number): Promise<void> {
  return new Promise((go) => {
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      removeEventListener('online', finish);
      go();
    }
    addEventListener('online', finish);
  });
}
