// The side: conversations and the other places. On a narrow screen it is a drawer over the page.
import {askText, askWhether, notice} from './dialogs';
import {fill, h} from './dom';
import {icon, type IconName, logo} from './icons';
import type {Conversation, Kept} from './kept';
import type {Server} from './server';
import {words} from './words';

/** `job`: '', or which one is shown in full. */
export type Place = {at: 'chat'; id: string} | {at: 'jobs'; job: string} | {at: 'queue'} | {at: 'nowhere'};

export class Side {
  readonly element: HTMLElement;
  /** Opens the drawer; stands in the head of a narrow page. */
  readonly opener = h('button', {
    type: 'button', className: 'icon-button opener',
    attrs: {'aria-label': words.openMenu, 'aria-expanded': 'false', 'aria-controls': 'side'},
  }, icon('menu'));
  private readonly list = h('ul', {className: 'conversations'});
  private readonly empty = h('p', {className: 'hint'}, words.noConversations);
  private readonly places = h('ul', {className: 'places'});
  private readonly forget = h('button', {type: 'button', className: 'side-link'}, icon('key'), words.forgetKey);
  private readonly veil = h('div', {className: 'veil'});
  private readonly narrow = matchMedia('(max-width: 760px)');
  private place: Place = {at: 'chat', id: ''};

  constructor(private readonly kept: Kept, private readonly server: Server,
              private readonly removed: (id: string) => void) {
    const fresh = h('a', {className: 'new-chat', href: '#/'}, icon('plus'), words.newChat);
    const closer = h('button', {
      type: 'button', className: 'icon-button closer', attrs: {'aria-label': words.closeMenu},
    }, icon('close'));
    this.element = h('header', {id: 'side', className: 'side'},
                     h('div', {className: 'brand'}, logo(), h('span', {}, words.title), closer),
                     h('nav', {attrs: {'aria-label': words.conversations}}, fresh, this.list, this.empty),
                     h('nav', {className: 'foot', attrs: {'aria-label': words.places}},
                       this.places, this.forget));
    this.forget.addEventListener('click', () => this.kept.useKey(''));
    this.opener.addEventListener('click', () => this.open(true));
    closer.addEventListener('click', () => this.open(false));
    this.veil.addEventListener('click', () => this.open(false));
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.open(false);
    });
    fresh.addEventListener('click', () => this.open(false));
    this.narrow.addEventListener('change', () => this.open(false));
    document.body.append(this.veil);
    this.open(false);
    this.show(this.place);
  }

  /** Where the person is. */
  show(place: Place): void {
    this.place = place;
    const conversations = this.kept.conversations();
    fill(this.list, ...conversations.map((each) => this.row(each)));
    this.empty.hidden = conversations.length > 0;
    fill(this.places,
         this.placeLink('chat', words.chat, '#/', place.at === 'chat'),
         this.placeLink('jobs', words.jobs, '#/jobs', place.at === 'jobs'),
         this.placeLink('queue', words.queue, '#/queue', place.at === 'queue'));
    this.forget.hidden = this.kept.key() === '';
  }

  private placeLink(name: IconName, label: string, href: string, here: boolean): HTMLElement {
    const link = h('a', {className: 'side-link', href}, icon(name), label);
    if (here) link.setAttribute('aria-current', 'page');
    link.addEventListener('click', () => this.open(false));
    return h('li', {}, link);
  }

  private row(conversation: Conversation): HTMLElement {
    const here = this.place.at === 'chat' && this.place.id === conversation.id;
    const link = h('a', {className: 'conversation', href: `#/c/${conversation.id}`}, conversation.title);
    if (here) link.setAttribute('aria-current', 'page');
    link.addEventListener('click', () => this.open(false));
    const rename = this.small('pencil', `${words.rename}: ${conversation.title}`);
    rename.addEventListener('click', () => void this.rename(conversation));
    const remove = this.small('trash', `${words.remove}: ${conversation.title}`);
    remove.addEventListener('click', () => void this.remove(conversation));
    return h('li', {}, link, rename, remove);
  }

  private small(name: IconName, label: string): HTMLButtonElement {
    return h('button', {
      type: 'button', className: 'icon-button small', title: label, attrs: {'aria-label': label},
    }, icon(name));
  }

  private async rename(conversation: Conversation): Promise<void> {
    const title = await askText(words.renameTitle, words.name, conversation.title);
    if (title) this.kept.put({...conversation, title});
  }

  private async remove(conversation: Conversation): Promise<void> {
    if (!await askWhether(words.removeTitle, words.removeText, words.remove)) return;
    try {
      await this.server.removeConversation(conversation.id);
    } catch (failure) {
      const gone = failure instanceof Error && 'status' in failure && failure.status === 404;
      if (!gone) return notice(`${words.wrong}: ${failure instanceof Error ? failure.message : ''}`);
    }
    this.kept.remove(conversation.id);
    this.removed(conversation.id);
  }

  private open(open: boolean): void {
    const was = this.element.classList.contains('open');
    this.element.classList.toggle('open', open);
    this.veil.classList.toggle('open', open);
    this.opener.setAttribute('aria-expanded', String(open));
    // What cannot be seen cannot be tabbed into.
    this.element.inert = this.narrow.matches && !open;
    if (open) this.element.querySelector<HTMLElement>('.closer')?.focus();
    else if (was && this.narrow.matches) this.opener.focus();
  }
}
