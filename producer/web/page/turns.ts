// A conversation as this page holds it: what was asked, and where its answer stands.
import {Away, Refused, passing} from './api';
import {shownFold, type Shown} from './answer';
import {type Kept, type Unsent, freshName} from './kept';
import {pause} from './link';
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
/** So many of the newest stored answers are asked for what was said beside them. */
const asidesMax = 10;
const phases: Record<string, Shown['phase']> = {
  complete: 'succeeded', interrupted: 'cancelled', failed: 'failed', expired: 'expired',
};

/** One conversation while it is open. `onTurn` hears of every change of a turn, and of new ones. */
export class Turns {
  readonly turns: Turn[] = [];
  onTurn: (turn: Turn) => void = () => {};
  /** The server does not know it (any more); `unheard` was still on its way there. */
  onGone: (unheard: string[]) => void = () => {};
  /** It was there twice. */
  onDrop: (turn: Turn) => void = () => {};
  /** `turns` may stand in another order. */
  onOrder: () => void = () => {};
  /** It has its id from the server. */
  onMade: (id: string) => void = () => {};

  private readonly unfollow = new Map<string, () => void>();
  private readonly given = new Set<string>();
  private line: Promise<void> = Promise.resolve();
  private gone = false;
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
      this.askForAsides();
    }
    for (const unsent of this.kept.unsentOf(this.id))
      if (!this.turns.some((turn) => turn.id === unsent.key)) void this.send(unsent);
  }

  /** Another tab has asked something here. */
  async reload(): Promise<void> {
    if (this.id === '') return;
    const messages = await this.server.messages(this.id).catch(() => null);
    if (!messages || this.closed) return;
    for (const message of messages) this.takeMessage(message);
    this.order(messages);
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

  /** Asked again since, and so shown where it was asked last: there was no answer to it. */
  superseded(turn: Turn): boolean {
    if (turn.question === '' || !unanswered(turn.shown)) return false;
    const at = this.turns.indexOf(turn);
    return this.turns.some((later, index) => index > at && later.question === turn.question);
  }

  /** It has become known that a simulator answers. */
  markSimulated(): void {
    for (const turn of this.turns) this.change(turn, {...turn.shown, simulated: true});
  }

  live(): Turn | undefined {
    return this.turns.find((turn) => ['queued', 'running', 'sending', 'unsent'].includes(turn.shown.phase));
  }

  /** One after the other, in the order in which they were asked. */
  private send(unsent: Unsent): Promise<void> {
    const away = this.turns.some((each) => each.shown.phase === 'unsent');
    const turn = this.add({
      id: unsent.key, question: unsent.text, job: '',
      shown: {phase: away ? 'unsent' : 'sending', text: '', simulated: false},
    });
    this.line = this.line.then(() => this.deliver(unsent, turn));
    return this.line;
  }

  /** Until the server has it, even when nobody looks any more; what it refuses stays with its words. */
  private async deliver(unsent: Unsent, turn: Turn): Promise<void> {
    while (turn.shown.phase !== 'cancelled') {
      if (this.gone) return this.giveBack(unsent);
      try {
        if (this.id === '') await this.make();
        const job = await this.server.ask(this.id, unsent.text, unsent.key);
        this.kept.sent(unsent.key);
        this.streams.tell({conversation: this.id});
        // It was stopped while it was on its way.
        if ((turn.shown.phase as string) === 'cancelled') return void await this.server.cancel(job);
        return this.taken(turn, job);
      } catch (failure) {
        if (failure instanceof Refused && failure.status === 404) return this.giveBack(unsent);
        if (!passing(failure)) {
          this.kept.sent(unsent.key);
          return this.change(turn, {
            ...turn.shown, phase: 'failed', error: failure instanceof Error ? failure.message : '',
          });
        }
        for (const each of this.turns)
          if (each.shown.phase === 'sending') this.change(each, {...each.shown, phase: 'unsent'});
        await pause(failure instanceof Refused ? failure.retryAfterMs : sendAgainMs);
      }
    }
  }

  /** The conversation, with all that was asked in it until now. */
  private async make(): Promise<void> {
    this.id = await this.server.newConversation();
    this.kept.moveUnsent(this.turns.map((each) => each.id), this.id);
    this.onMade(this.id);
  }

  /** The server has it. */
  private taken(turn: Turn, job: string): void {
    if (this.closed) return;
    if (this.turns.some((other) => other !== turn && other.job === job)) return this.drop(turn);
    turn.job = job;
    this.follow(turn);
    // Who asked something behind it, in another tab, may have been heard before it.
    if (this.turns.at(-1) !== turn) void this.reload();
  }

  private drop(turn: Turn): void {
    this.turns.splice(this.turns.indexOf(turn), 1);
    this.onDrop(turn);
  }

  /** As the server has them; what it has not yet comes last. */
  private order(messages: Message[]): void {
    const places = new Map(messages.map((message, index) => [message.job_id, index]));
    const place = (turn: Turn) => places.get(turn.job) ?? messages.length;
    this.turns.sort((one, other) => place(one) - place(other));
    this.onOrder();
  }

  /** The conversation is gone. What it has not heard is kept no longer, and told once. */
  private giveBack(own?: Unsent): void {
    const known = this.gone;
    this.gone = true;
    const waiting = this.kept.unsent().filter((each) => each.conversation === this.id);
    if (own && !waiting.some((each) => each.key === own.key)) waiting.push(own);
    const unheard = waiting.filter((each) => !this.given.has(each.key));
    for (const each of unheard) {
      this.given.add(each.key);
      this.kept.sent(each.key);
    }
    if (!known || unheard.length > 0) this.onGone(unheard.map((each) => each.text));
  }

  private takeMessage(message: Message): void {
    let turn = this.turns.find((each) => each.job === message.job_id);
    if (message.role === 'user') {
      if (turn) return;
      this.add({
        id: message.job_id, question: message.content, job: message.job_id,
        shown: {phase: 'loading', text: '', simulated: false},
      });
      return;
    }
    turn ??= this.add({
      id: message.job_id, question: '', job: message.job_id,
      shown: {phase: 'loading', text: '', simulated: false},
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

  /** A message has the words of an answer alone; what was said beside them is with its job. */
  private askForAsides(): void {
    const stored = this.turns.filter((turn) => turn.shown.phase === 'succeeded');
    for (const [index, turn] of stored.entries())
      if (turn.shown.text === '' || index >= stored.length - asidesMax) void this.addAsides(turn);
  }

  private async addAsides(turn: Turn): Promise<void> {
    const job = await this.server.job(turn.job).catch(() => null);
    const {reasoning, refusal} = job?.result ?? {};
    if (reasoning || refusal) this.change(turn, {...turn.shown, reasoning, refusal});
  }

  /** Questions without an answer: their jobs wait or run, or ended before they said anything. */
  private followOpen(): void {
    for (const turn of this.turns)
      if (turn.job && turn.shown.phase === 'loading' && !this.unfollow.has(turn.id)) this.follow(turn);
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
          this.giveBack();
          return null;
        }
        if (!passing(failure)) throw failure;
        await pause(failure instanceof Away ? sendAgainMs : 1000);
      }
    }
    return null;
  }
}

function unanswered(shown: Shown): boolean {
  return ['failed', 'expired', 'unknown'].includes(shown.phase) ||
      (shown.phase === 'cancelled' && shown.text === '');
}
