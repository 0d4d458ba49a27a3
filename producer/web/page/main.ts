import {Api} from './api';
import {ChatView} from './chat';
import {askKey} from './dialogs';
import {fill, h} from './dom';
import {JobsView} from './jobs';
import {Kept} from './kept';
import {QueueView} from './queue';
import {Server} from './server';
import {type Place, Side} from './side';
import {Streams} from './streams';
import {language, words} from './words';

interface View {
  element: HTMLElement;
  close(): void;
}

document.documentElement.lang = language;

const kept = new Kept();
const streams = new Streams();
let asking: Promise<void> | null = null;

/** However many requests want a key at once, the person is asked once. */
function askForKey(refused: boolean): Promise<void> {
  asking ??= askKey(refused).then((key) => kept.useKey(key)).finally(() => { asking = null; });
  return asking;
}

const server = new Server(new Api({key: () => kept.key(), ask: askForKey}));
const content = h('div', {className: 'content'});
const title = h('span', {className: 'head-title'});
const side = new Side(kept, server, (id) => {
  if (view instanceof ChatView && view.id === id) location.hash = '#/';
});

const main = h('main', {id: 'main', tabIndex: -1},
               h('div', {className: 'head'}, side.opener, title), content);

let simulated = false;
let view: View | null = null;
let place: Place = {at: 'chat', id: ''};

function placeOf(hash: string): Place {
  if (hash === '#/jobs') return {at: 'jobs'};
  if (hash === '#/queue') return {at: 'queue'};
  return {at: 'chat', id: /^#\/c\/([\w-]{1,200})$/.exec(hash)?.[1] ?? ''};
}

function open(wanted: Place): void {
  place = wanted;
  view?.close();
  view = made(place);
  fill(content, view.element);
  if (view instanceof ChatView) {
    view.showSimulated();
    view.shown();
  } else {
    main.focus();
  }
  showPlace();
}

function made(wanted: Place): View {
  if (wanted.at === 'jobs') return new JobsView(server, streams, () => simulated);
  if (wanted.at === 'queue') return new QueueView(server);
  return new ChatView(wanted.id, {
    server, streams, kept, simulated: () => simulated,
    made: (id) => {
      place = {at: 'chat', id};
      history.replaceState(null, '', `#/c/${id}`);
      showPlace();
    },
  });
}

function showPlace(): void {
  side.show(place);
  const name = place.at === 'chat' ? kept.conversation(place.id)?.title ?? words.newChat : words[place.at];
  document.title = `${name} · ${words.title}`;
  title.textContent = name;
}

const skip = h('a', {className: 'skip', href: '#main'}, words.skip);
skip.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
fill(document.querySelector('#app')!, skip, side.element,
     main);

kept.onConversations = showPlace;
kept.onKey = () => {
  streams.useKey(kept.key());
  showPlace();
};
streams.useKey(kept.key());
streams.onLink = (up) => side.showLink(up);
streams.onLocked = () => void askForKey(kept.key() !== '');
streams.onNews = (news) => {
  if (view instanceof ChatView && view.id === news.conversation) view.reload();
};
addEventListener('hashchange', () => open(placeOf(location.hash)));
open(placeOf(location.hash));

server.simulated().then((is) => {
  simulated = is;
  if (view instanceof ChatView) view.showSimulated();
}, () => {});
