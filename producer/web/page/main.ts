import {Api} from './api';
import {ChatView} from './chat';
import {askKey, say} from './dialogs';
import {fill, h} from './dom';
import {JobsView} from './jobs';
import {Kept} from './kept';
import {Link} from './link';
import {QueueView} from './queue';
import {Server} from './server';
import {type Place, Side} from './side';
import {Streams} from './streams';
import {idTail, language, words} from './words';

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

const link = new Link();
const api = new Api({key: () => kept.key(), ask: askForKey});
api.onAnswer = (answered) => link.requests(answered);
const server = new Server(api);
const content = h('div', {className: 'content'});
const title = h('span', {className: 'head-title'});
const linkState = h('p', {className: 'offline', role: 'status'});
const side = new Side(kept, server, (id) => {
  if (view instanceof ChatView && view.id === id) location.hash = '#/';
});

const main = h('main', {id: 'main', tabIndex: -1},
               h('div', {className: 'head'}, side.opener, title), content, linkState);

let simulated = false;
let view: View | null = null;
let place: Place = {at: 'chat', id: ''};
/** The job that is shown was chosen in the list, and so the way back leads there. */
let fromList = false;

function placeOf(hash: string): Place {
  if (hash === '' || hash === '#' || hash === '#/') return {at: 'chat', id: ''};
  const [, where, id] = /^#\/(c|jobs|queue)(?:\/([\w-]{1,200}))?$/.exec(hash) ?? [];
  if (where === 'c' && id) return {at: 'chat', id};
  if (where === 'jobs') return {at: 'jobs', job: id ?? ''};
  if (where === 'queue' && !id) return {at: 'queue'};
  return {at: 'nowhere'};
}

/** A reload that began before the conversation had its address leads to it all the same. */
function firstPlace(): Place {
  const made = kept.made();
  const [arrival] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (made && arrival?.type === 'reload' && ['', '#/'].includes(location.hash))
    history.replaceState(null, '', `#/c/${made}`);
  return placeOf(location.hash);
}

/** Goes there as a link would, but at once. */
function go(hash: string): void {
  history.pushState(null, '', hash);
  open(placeOf(hash));
}

function open(wanted: Place): void {
  const before = place;
  place = wanted;
  kept.putMade('');
  if (view instanceof JobsView && place.at === 'jobs') {
    fromList = before.at === 'jobs' && before.job === '';
    view.look(place.job);
    return showPlace();
  }
  fromList = false;
  view?.close();
  view = made(place);
  fill(content, view.element);
  if (view instanceof ChatView) {
    view.showSimulated();
    view.shown();
  } else {
    main.focus();
  }
  if (view instanceof JobsView && place.at === 'jobs') view.look(place.job);
  showPlace();
}

function made(wanted: Place): View {
  if (wanted.at === 'jobs') return new JobsView(server, streams, () => simulated, leaveJob);
  if (wanted.at === 'queue') return new QueueView(server);
  if (wanted.at === 'nowhere') return nowhere();
  return new ChatView(wanted.id, {
    server, streams, kept, simulated: () => simulated,
    made: (id) => {
      place = {at: 'chat', id};
      kept.putMade(id);
      history.replaceState(null, '', `#/c/${id}`);
      showPlace();
    },
    anew: (question) => {
      go('#/');
      if (question !== '' && view instanceof ChatView) view.ask(question);
    },
  });
}

function leaveJob(): void {
  if (fromList) return history.back();
  history.replaceState(null, '', '#/jobs');
  open({at: 'jobs', job: ''});
}

function nowhere(): View {
  return {
    element: h('div', {className: 'page'}, h('h1', {}, words.nowhere),
               h('p', {}, h('a', {href: '#/'}, words.newChat), ' · ', h('a', {href: '#/jobs'}, words.jobs))),
    close: () => {},
  };
}

function nameOf(where: Place): string {
  if (where.at === 'chat') return kept.conversation(where.id)?.title ?? words.newChat;
  if (where.at === 'jobs' && where.job) return `${words.job} ${idTail(where.job)}`;
  return words[where.at];
}

function showPlace(): void {
  side.show(place);
  const name = nameOf(place);
  if (view instanceof ChatView) view.named(name);
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
streams.onLink = (up) => link.stream(up);
link.onChange = (up) => {
  linkState.textContent = up ? '' : words.offline;
  if (up) say(words.online);
};
streams.onLocked = () => void askForKey(kept.key() !== '');
streams.onNews = (news) => {
  if (view instanceof ChatView && view.id === news.conversation) view.reload();
};
addEventListener('hashchange', () => open(placeOf(location.hash)));
open(firstPlace());

server.simulated().then((is) => {
  simulated = is;
  if (view instanceof ChatView) view.showSimulated();
}, () => {});
