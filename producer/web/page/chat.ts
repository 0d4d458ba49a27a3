// The conversation that is open: its messages, and the box to write in.
import {AnswerView, isLive} from './answer';
import {notice, say} from './dialogs';
import {fill, h} from './dom';
import {icon} from './icons';
import type {Kept} from './kept';
import type {Server} from './server';
import type {Streams} from './streams';
import {type Turn, Turns} from './turns';
import {words} from './words';

/** Nearer to the end than that, the reader wants to see what comes. */
const followPx = 80;
const titleMax = 60;

interface Parts {
  server: Server;
  streams: Streams;
  kept: Kept;
  simulated(): boolean;
  /** A conversation that was only here until now has its id. */
  made(id: string): void;
  /** Opens a new conversation, with a question or to write one. */
  anew(question: string): void;
}

interface Drawn {
  view: AnswerView;
  question: HTMLElement | null;
}

export class ChatView {
  readonly element: HTMLElement;
  private readonly heading = h('h1', {className: 'sr-only'});
  private readonly log = h('div', {
    className: 'log', tabIndex: 0, role: 'log',
    attrs: {'aria-label': words.messages, 'aria-live': 'off'},
  });
  private readonly inner = h('div', {className: 'column'});
  private readonly text = h('textarea', {
    id: 'message', rows: 1, placeholder: words.messageHint, maxLength: 200_000,
    attrs: {'aria-label': words.message},
  });
  private readonly send = h('button', {
    type: 'submit', className: 'round primary', attrs: {'aria-label': words.send}, title: words.send,
  }, icon('send'));
  private readonly stop = h('button', {
    type: 'button', className: 'round stop', attrs: {'aria-label': words.stop}, title: words.stop,
  }, icon('stop'));
  private readonly toEnd = h('button', {
    type: 'button', className: 'round to-end', attrs: {'aria-label': words.toEnd}, title: words.toEnd,
  }, icon('down'));
  private readonly banner = h('p', {className: 'banner', hidden: true}, words.simulatedText);
  private readonly answers = new Map<Turn, Drawn>();
  private readonly turns: Turns;
  private follows = true;
  private isGone = false;
  private closed = false;

  constructor(id: string, private readonly parts: Parts) {
    const form = h('form', {className: 'composer'}, this.text, this.stop, this.send);
    this.element = h('div', {className: 'chat'},
                     this.heading, this.banner, this.log,
                     h('div', {className: 'composer-place'}, this.toEnd, form));
    this.log.append(this.inner);
    this.turns = new Turns(id, parts.server, parts.streams, parts.kept, parts.simulated);
    this.turns.onTurn = (turn) => this.showTurn(turn);
    this.turns.onDrop = (turn) => this.drop(turn);
    this.turns.onOrder = () => this.order();
    this.turns.onGone = (unheard) => this.gone(unheard);
    this.turns.onMade = (made) => {
      const first = this.turns.turns[0]?.question ?? '';
      parts.kept.put({id: made, title: titleOf(first), at: Date.now()});
      if (!this.closed) parts.made(made);
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.value = parts.kept.draft(id);
    this.text.addEventListener('input', () => {
      parts.kept.putDraft(this.id, this.text.value);
      this.fit();
    });
    this.text.addEventListener('keydown', (event) => {
      // Enter that ends the composing of a Hangul syllable sends nothing.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.stop.addEventListener('click', () => void this.stopLive());
    this.toEnd.addEventListener('click', () => this.goToEnd());
    this.log.addEventListener('scroll', () => this.scrolled());
    // A box that grows, or a keyboard, takes room from the messages: their end stays in sight.
    this.grows.observe(this.log);
    if (id === '') this.welcome();
    this.showState();
    this.turns.load().catch((failure: unknown) => notice(`${words.wrong}: ${String(failure)}`));
  }

  get id(): string {
    return this.turns.id;
  }

  /** What the conversation is called now. */
  named(name: string): void {
    this.heading.textContent = name;
  }

  /** Once it is in the page. */
  shown(): void {
    this.text.focus({preventScroll: true});
    this.fit();
    this.goToEnd();
  }

  close(): void {
    this.closed = true;
    this.grows.disconnect();
    this.turns.close();
  }

  showSimulated(): void {
    const simulated = this.parts.simulated();
    this.banner.hidden = !simulated;
    if (simulated) this.turns.markSimulated();
  }

  reload(): void {
    void this.turns.reload();
  }

  private submit(): void {
    const text = this.text.value.trim();
    if (text === '') return;
    this.parts.kept.putDraft(this.id, '');
    if (this.isGone) return this.parts.anew(text);
    this.text.value = '';
    this.fit();
    this.ask(text);
  }

  ask(text: string): void {
    if (this.turns.turns.length === 0) fill(this.inner);
    const known = this.parts.kept.conversation(this.turns.id);
    if (known) this.parts.kept.put({...known, at: Date.now()});
    this.follows = true;
    void this.turns.ask(text);
  }

  private async stopLive(): Promise<void> {
    const live = this.turns.live();
    if (!live) return;
    this.text.focus();
    await this.turns.stop(live).catch((failure: unknown) => notice(
        `${words.wrong}: ${failure instanceof Error ? failure.message : ''}`));
  }

  private welcome(): void {
    const suggestions = [words.suggestion1, words.suggestion2, words.suggestion3].map((text) => {
      const button = h('button', {type: 'button', className: 'suggestion'}, text);
      button.addEventListener('click', () => {
        this.ask(text);
        this.text.focus();
      });
      return h('li', {}, button);
    });
    fill(this.inner, h('section', {className: 'welcome'},
                       h('h2', {}, words.hello), h('p', {}, words.helloText),
                       h('ul', {className: 'suggestions', attrs: {'aria-label': words.suggestions}},
                         ...suggestions)));
  }

  /** What it has not heard goes back into the box, and on into another conversation. */
  private gone(unheard: string[]): void {
    this.isGone = true;
    const text = [...unheard, this.text.value].map((each) => each.trim()).filter(Boolean).join('\n\n');
    this.parts.kept.putDraft(this.id, text);
    if (this.closed) return;
    const anew = h('button', {type: 'button', className: 'button primary'},
                   text === '' ? words.newChat : words.askAnew);
    anew.addEventListener('click', () => {
      if (this.text.value.trim() === '') this.parts.anew('');
      else this.submit();
    });
    fill(this.inner, h('section', {className: 'welcome'}, h('h2', {}, words.gone),
                       text !== '' && h('p', {}, words.goneText), anew));
    if (text !== '') say(`${words.gone} ${words.goneText}`);
    this.text.value = text;
    this.text.disabled = text === '';
    this.send.disabled = text === '';
    this.fit();
    this.showState();
  }

  private showTurn(turn: Turn): void {
    if (this.isGone) return;
    this.dropSuperseded();
    if (this.turns.superseded(turn)) return;
    let drawn = this.answers.get(turn);
    const wasLive = drawn?.view.element.getAttribute('aria-busy') === 'true';
    if (!drawn) {
      drawn = {
        view: new AnswerView(() => this.ask(turn.question)),
        question: turn.question === '' ? null : question(turn.question),
      };
      this.answers.set(turn, drawn);
      if (drawn.question) this.inner.append(drawn.question);
      this.inner.append(drawn.view.element);
      this.observe(drawn.view.element);
    }
    const {view} = drawn;
    view.show(turn.shown);
    const live = isLive(turn.shown);
    if (wasLive && !live) say(turn.shown.phase === 'succeeded' ? `${words.answered} ${view.spoken}` : '');
    this.showState();
    this.keepUp();
  }

  /** A question that was asked again is there once. */
  private dropSuperseded(): void {
    for (const turn of this.answers.keys())
      if (this.turns.superseded(turn)) this.drop(turn);
  }

  private drop(turn: Turn): void {
    const drawn = this.answers.get(turn);
    if (!drawn) return;
    const {element} = drawn.view;
    if (element.contains(document.activeElement)) this.text.focus();
    this.grows.unobserve(element);
    element.remove();
    drawn.question?.remove();
    this.answers.delete(turn);
  }

  /** Moves only what stands elsewhere: what is moved loses the focus. */
  private order(): void {
    const wanted = this.turns.turns.flatMap((turn) => {
      const drawn = this.answers.get(turn);
      return drawn ? [drawn.question, drawn.view.element] : [];
    }).filter((each) => each !== null);
    for (const [index, element] of wanted.entries())
      if (this.inner.children[index] !== element)
        this.inner.insertBefore(element, this.inner.children[index] ?? null);
  }

  private showState(): void {
    const live = this.turns.live();
    this.stop.hidden = !live;
  }

  // --- scrolling

  private readonly grows = new ResizeObserver(() => this.keepUp());

  private observe(element: Element): void {
    this.grows.observe(element);
  }

  private keepUp(): void {
    if (this.follows) this.log.scrollTop = this.log.scrollHeight;
  }

  private goToEnd(): void {
    this.follows = true;
    this.keepUp();
    this.scrolled();
  }

  private scrolled(): void {
    const left = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
    this.follows = left < followPx;
    this.toEnd.hidden = this.follows;
  }

  private fit(): void {
    this.text.style.height = 'auto';
    this.text.style.height = `${this.text.scrollHeight}px`;
  }
}

function question(text: string): HTMLElement {
  return h('article', {className: 'turn question'},
           h('h2', {className: 'sr-only'}, words.you), h('p', {}, text));
}

function titleOf(question: string): string {
  const line = question.trim().split('\n')[0]!;
  return line.length > titleMax ? `${line.slice(0, titleMax)}…` : line;
}
