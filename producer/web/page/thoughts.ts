// How a model came to its answer: folded, since few want it, and drawn only while it is unfolded.
import {fill, h} from './dom';
import {icon} from './icons';
import {Markdown} from './markdown';
import {words} from './words';

export class Thoughts {
  /** Empty until there are any. */
  readonly element = h('div', {className: 'tools'});
  private readonly state = h('span', {className: 'tool-state live'});
  private readonly markdown = new Markdown();
  private readonly details = h('details', {className: 'tool'},
                               h('summary', {}, icon('thought'),
                                 h('span', {className: 'tool-name'}, words.thoughts), this.state),
                               h('div', {className: 'tool-part thoughts', tabIndex: 0, role: 'group',
                                         attrs: {'aria-label': words.thoughts}}, this.markdown.element));
  private text = '';

  constructor() {
    this.details.addEventListener('toggle', () => this.draw());
  }

  /** `live`: more may come. */
  show(text: string, live: boolean): void {
    if (text === '' && this.text === '') return;
    this.text = text;
    if (text === '') return fill(this.element);
    this.state.textContent = live ? words.thinkingNow : '';
    this.draw();
    if (!this.element.firstChild) fill(this.element, this.details);
  }

  private draw(): void {
    if (this.details.open) this.markdown.show(this.text);
  }
}
