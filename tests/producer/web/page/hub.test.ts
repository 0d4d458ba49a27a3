import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';

import {Hub, type Outside} from '../../../../producer/web/page/hub';
import type {FromHub} from '../../../../producer/web/page/wire';

/** A relay whose connections the test answers one by one. */
class Relay implements Outside {
  asked: {path: string; cursor: string; key: string | undefined}[] = [];
  waits: number[] = [];
  private answers: (Response | Error)[] = [];
  private waiting: ((answer: Response | Error) => void) | null = null;

  fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = init.headers as Record<string, string>;
    this.asked.push({path, cursor: headers['Last-Event-ID'] ?? '', key: headers.Authorization});
    return new Promise((go, refuse) => {
      const settle = (answer: Response | Error) =>
          answer instanceof Error ? refuse(answer) : go(answer);
      init.signal?.addEventListener('abort', () => refuse(new Error('aborted')));
      const next = this.answers.shift();
      if (next) settle(next);
      else this.waiting = settle;
    });
  }
  wait(ms: number): Promise<void> {
    this.waits.push(ms);
    return Promise.resolve();
  }
  random(): number {
    return 1;
  }

  answer(next: Response | Error): void {
    if (this.waiting) this.waiting(next);
    else this.answers.push(next);
    this.waiting = null;
  }
}

class Tab {
  heard: FromHub[] = [];
  post(message: FromHub): void {
    this.heard.push(structuredClone(message));
  }
  text(job: string): string {
    return this.heard.flatMap((each) => each.is === 'fold' && each.fold.job === job ? [each.fold.text]
        : each.is === 'events' && each.job === job ? each.events.map((event) => String(event.text ?? ''))
        : []).join('');
  }
}

const frame = (job: string, seq: number, type: string, more = {}) =>
    `event: ${type}\ndata: ${JSON.stringify({job, seq, type, ...more})}\nid: ${job}:${seq}\n\n`;
const stream = (...frames: string[]) => new Response(frames.join(''));

/** All that can go on without the network has gone on. */
const settled = () => new Promise((go) => setTimeout(go, 5));

const joined: [Hub, Tab][] = [];

function join(hub: Hub): Tab {
  const tab = new Tab();
  hub.join(tab);
  joined.push([hub, tab]);
  return tab;
}

function hubWith(relay: Relay): {hub: Hub; tab: Tab} {
  const hub = new Hub(relay);
  return {hub, tab: join(hub)};
}

/** A hub whose tabs have gone holds no connection and no timer. */
afterEach(() => {
  for (const [hub, tab] of joined.splice(0)) hub.take(tab, {do: 'bye'});
});

test('a connection that breaks goes on behind the last event, and nothing comes twice', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  relay.answer(stream(frame('a', 1, 'delta', {text: 'x'}), frame('a', 2, 'delta', {text: 'y'})));
  relay.answer(stream(frame('a', 2, 'delta', {text: 'y'}), frame('a', 3, 'delta', {text: 'z'}),
                      frame('a', 4, 'done', {result: {text: 'xyz'}})));
  hub.take(tab, {do: 'follow', job: 'a'});
  await settled();
  assert.deepEqual(relay.asked.map((each) => each.cursor), ['a:0', 'a:2']);
  assert.equal(tab.text('a'), 'xyz');
});

test('jobs that are followed together share a connection', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  for (const job of ['a', 'b']) hub.take(tab, {do: 'follow', job});
  await settled();
  assert.deepEqual(relay.asked.map((each) => each.path), ['/v1/events?jobs=a,b']);
});

test('one more job joins without losing the place of the others', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  let more!: ReadableStreamDefaultController<Uint8Array>;
  relay.answer(new Response(new ReadableStream<Uint8Array>({start: (each) => { more = each; }})));
  hub.take(tab, {do: 'follow', job: 'a'});
  await settled();
  more.enqueue(new TextEncoder().encode(frame('a', 7, 'delta', {text: 'x'})));
  await settled();
  hub.take(tab, {do: 'follow', job: 'b'});
  more.error(new Error('aborted'));  // as fetch does to the body of an aborted request
  await settled();
  assert.equal(relay.asked.at(-1)!.cursor, 'a:7,b:0');
});

test('whoever comes later is given all of it at once', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  relay.answer(stream(frame('a', 1, 'delta', {text: 'so far'})));
  hub.take(tab, {do: 'follow', job: 'a'});
  await settled();
  const later = join(hub);
  hub.take(later, {do: 'follow', job: 'a'});
  assert.equal(later.text('a'), 'so far');
});

test('a server that is away is asked again, ever more seldom, and the tabs are told', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  for (let i = 0; i < 7; ++i) relay.answer(new Error('away'));
  hub.take(tab, {do: 'follow', job: 'a'});
  await settled();
  assert.deepEqual(relay.waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  relay.answer(stream(frame('a', 1, 'done', {result: {text: ''}})));
  await settled();
  assert.deepEqual(tab.heard.flatMap((each) => each.is === 'link' ? [each.up] : []),
                   [true, false, true]);
});

test('a job that nobody knows is told, and the others go on', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  relay.answer(new Response('{}', {status: 404}));
  relay.answer(new Response('{}', {status: 404}));  // of a
  relay.answer(new Response('{}', {status: 200}));  // of b
  for (const job of ['a', 'b']) hub.take(tab, {do: 'follow', job});
  await settled();
  assert.deepEqual(tab.heard.filter((each) => each.is === 'unknown'), [{is: 'unknown', job: 'a'}]);
  assert.equal(relay.asked.at(-1)!.path, '/v1/events?jobs=b');
});

test('a key that is wanted is waited for, then used', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  relay.answer(new Response('{}', {status: 401}));
  hub.take(tab, {do: 'follow', job: 'a'});
  await settled();
  assert.equal(tab.heard.some((each) => each.is === 'locked'), true);
  assert.equal(relay.asked.length, 1);
  hub.take(tab, {do: 'key', key: 'secret'});
  await settled();
  assert.equal(relay.asked.at(-1)!.key, 'Bearer secret');
});

test('a job is left when its last follower goes', async () => {
  const relay = new Relay();
  const {hub, tab} = hubWith(relay);
  const other = join(hub);
  hub.take(tab, {do: 'follow', job: 'a'});
  hub.take(other, {do: 'follow', job: 'a'});
  hub.take(tab, {do: 'bye'});
  await settled();
  relay.answer(new Error('away'));
  await settled();
  assert.equal(relay.asked.length > 1, true);
  const before = relay.asked.length;
  hub.take(other, {do: 'leave', job: 'a'});
  await settled();
  relay.answer(new Error('away'));
  await settled();
  assert.equal(relay.asked.length <= before + 1, true);
});
