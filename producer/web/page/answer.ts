// An answer, as it is written: tools, words, and how it ended.
import {h, fill} from './dom';
import type {Fold, Phase, ToolUse} from './fold';
import {icon} from './icons';
import {Markdown, copyButton} from './markdown';
import {Thoughts} from './thoughts';
import {words} from './words';

/** What is shown; a fold has it all, a stored message some of it. */
export interface Shown {
  /** `loading`: not known yet; `unknown`: nor will it be. */
  phase: Phase | 'sending' | 'unsent' | 'loading' | 'unknown';
  text: string;
  reasoning?: string | undefined;
  refusal?: string | undefined;
  status?: string;
  position?: number | null;
  tools?: ToolUse[];
  error?: string;
  simulated: boolean;
}

export function shownFold(fold: Fold, simulated: boolean): Shown {
  return {...fold, simulated: simulated || fold.model.startsWith('sim')};
}

export function isLive(shown: Shown): boolean {
  return ['queued', 'running', 'sending', 'unsent', 'loading'].includes(shown.phase);
}

/** Frames are drawn at most once a screen's; a long answer's less often than it costs. */
export class AnswerView {
  readonly element: HTMLElement;
  private readonly markdown = new Markdown();
  private readonly thoughts = new Thoughts();
  private readonly tools = h('div', {className: 'tools'});
  private readonly refusal = h('p', {className: 'refusal', hidden: true});
  private readonly state = h('p', {className: 'state'});
  private readonly foot = h('div', {className: 'answer-foot'});
  private shown: Shown | null = null;
  private drawnTools = '';
  private waiting = false;
  private costMs = 0;

  constructor(private readonly onAgain: (() => void) | null) {
    this.element = h('article', {className: 'turn answer'},
                     h('h2', {className: 'sr-only'}, words.answer),
                     this.thoughts.element, this.tools, this.markdown.element, this.refusal, this.state,
                     this.foot);
  }

  show(shown: Shown): void {
    this.shown = shown;
    if (!isLive(shown)) return this.draw();
    if (this.waiting) return;
    this.waiting = true;
    const draw = () => {
      this.waiting = false;
      this.draw();
    };
    if (this.costMs < 4 && !document.hidden) requestAnimationFrame(draw);
    else setTimeout(draw, Math.min(500, Math.max(16, this.costMs * 4)));
  }

  /** What was last drawn, for those who only hear it. */
  get spoken(): string {
    return [this.markdown.element, this.refusal].map((each) => each.textContent).join(' ').trim();
  }

  private draw(): void {
    const shown = this.shown!;
    const began = performance.now();
    this.element.setAttribute('aria-busy', String(isLive(shown)));
    this.element.dataset.phase = shown.phase;
    this.markdown.show(shown.text);
    this.thoughts.show(shown.reasoning ?? '', isLive(shown) && shown.text === '' && !shown.refusal);
    this.drawTools(shown.tools ?? []);
    this.drawRefusal(shown.refusal ?? '');
    this.drawState(shown);
    if (isLive(shown)) fill(this.foot);
    else this.drawFoot(shown);
    this.costMs = performance.now() - began;
  }

  private drawTools(tools: ToolUse[]): void {
    const drawn = JSON.stringify(tools);
    if (drawn === this.drawnTools) return;
    this.drawnTools = drawn;
    const open = new Set([...this.tools.querySelectorAll('details')]
        .map((each, index) => each.open ? index : -1));
    fill(this.tools, ...tools.map((use, index) => toolElement(use, open.has(index))));
  }

  private drawRefusal(text: string): void {
    this.refusal.hidden = text === '';
    if (text !== '') fill(this.refusal, h('strong', {}, words.refused), ` ${text}`);
  }

  private drawState(shown: Shown): void {
    const said = stateWords(shown);
    const live = isLive(shown);
    this.state.hidden = said === '';
    this.state.className = `state ${live ? 'live' : shown.phase}`;
    if (this.state.textContent !== said)
      fill(this.state, live && h('span', {className: 'dots', attrs: {'aria-hidden': 'true'}}), said);
  }

  private drawFoot(shown: Shown): void {
    const said = shown.text || shown.refusal || '';
    const again = h('button', {type: 'button', className: 'text-button'}, icon('again'), words.tryAgain);
    again.addEventListener('click', () => this.onAgain?.());
    const failed = shown.phase !== 'succeeded';
    fill(this.foot,
         said !== '' && copyButton(said, words.copy),
         failed && this.onAgain && again,
         shown.simulated && said !== '' &&
             h('span', {className: 'tag', title: words.simulatedText}, words.simulated));
  }
}

function stateWords(shown: Shown): string {
  switch (shown.phase) {
    case 'sending': return words.sending;
    case 'unsent': return words.unsent;
    case 'queued':
      return shown.position ? words.waitingBehind(shown.position) : words.waiting;
    case 'running':
      if (shown.status) return shown.status;
      return shown.text || shown.reasoning || shown.refusal ? '' : words.starting;
    case 'failed': return shown.error ? `${words.failed}: ${shown.error}` : words.failed;
    case 'cancelled': return words.stopped;
    case 'expired': return words.expiredJob;
    case 'unknown': return words.noAnswer;
    case 'loading':
    case 'succeeded': return '';
  }
}

function toolElement(use: ToolUse, open: boolean): HTMLElement {
  const runs = use.result === undefined && !use.forClient;
  const state = use.forClient ? words.toolForClient : runs ? words.toolRuns : words.toolRan;
  return h('details', {className: 'tool', open},
           h('summary', {}, icon('tool'), h('span', {className: 'tool-name'}, use.name),
             h('span', {className: runs ? 'tool-state live' : 'tool-state'}, state)),
           use.arguments !== '' && labelled(words.toolInput, use.arguments),
           use.result !== undefined && labelled(words.toolResult, use.result));
}

function labelled(label: string, text: string): HTMLElement {
  return h('div', {className: 'tool-part'}, h('p', {}, label),
           h('pre', {tabIndex: 0}, h('code', {}, text)));
}
