import assert from 'node:assert/strict';
import {test} from 'node:test';

import {type Fold, type JobEvent, emptyFold, ended, take} from '../../../../producer/web/page/fold';

function folded(...events: Omit<JobEvent, 'job'>[]): Fold {
  const fold = emptyFold('j');
  for (const event of events) take(fold, {job: 'j', ...event} as JobEvent);
  return fold;
}

const delta = (seq: number, text: string) => ({seq, type: 'delta', text});

test('deltas are joined, each once, whatever comes twice', () => {
  const fold = folded(delta(1, 'a'), delta(2, 'b'), delta(2, 'b'), delta(1, 'a'), delta(3, 'c'));
  assert.equal(fold.text, 'abc');
  assert.equal(fold.seq, 3);
});

test('a rewind puts the text back to what it was after that event', () => {
  const fold = folded(delta(3, 'one '), {seq: 4, type: 'status', message: 'm'}, delta(5, 'two '),
                      delta(6, 'three'), {seq: 7, type: 'rewind', to: 5}, delta(8, '3'));
  assert.equal(fold.text, 'one two 3');
});

test('a rewind to the beginning, or to before the last snapshot, leaves nothing', () => {
  assert.equal(folded(delta(1, 'a'), {seq: 2, type: 'rewind', to: 0}).text, '');
  assert.equal(folded({seq: 9, type: 'snapshot', text: 'abc', upto: 8},
                      {seq: 10, type: 'rewind', to: 5}).text, '');
});

test('a rewind after a snapshot keeps the snapshot', () => {
  const fold = folded({type: 'snapshot', text: 'abc', upto: 8}, delta(9, 'd'),
                      {seq: 10, type: 'rewind', to: 8});
  assert.equal(fold.text, 'abc');
});

test('what the relay made has no number and moves no place', () => {
  const fold = folded(delta(4, 'a'), {type: 'gap', from: 5, to: 7},
                      {type: 'snapshot', text: 'all', upto: 4}, delta(5, '!'));
  assert.equal(fold.seq, 5);
  assert.equal(fold.text, 'all!');
});

test('the end has the whole answer, and nothing comes after it', () => {
  const fold = folded({seq: 1, type: 'started', attempt: 1}, delta(2, 'wro'),
                      {seq: 3, type: 'done', result: {text: 'right', model: 'm'}}, delta(4, 'x'));
  assert.deepEqual([fold.phase, fold.text, fold.model, fold.seq], ['succeeded', 'right', 'm', 3]);
  assert.equal(ended(fold), true);
});

test('a job that ended without its answer keeps what was said, and why', () => {
  const fold = folded(delta(1, 'half'), {seq: 2, type: 'error', code: 'c', message: 'why'});
  assert.deepEqual([fold.phase, fold.text, fold.error], ['failed', 'half', 'why']);
  assert.equal(folded(delta(1, 'half'), {seq: 2, type: 'cancelled'}).text, 'half');
  assert.equal(folded({seq: 1, type: 'expired'}).phase, 'expired');
});

test('reasoning and a refusal are apart from the text, and a rewind takes them back too', () => {
  const aside = (seq: number, type: string, text: string) => ({seq, type, text});
  const live = folded(aside(1, 'reasoning', 'why'), delta(2, 'a'), aside(3, 'reasoning', ' not'),
                      aside(4, 'refusal', 'no'));
  assert.deepEqual([live.text, live.reasoning, live.refusal], ['a', 'why not', 'no']);
  take(live, {job: 'j', seq: 5, type: 'rewind', to: 2});
  assert.deepEqual([live.text, live.reasoning, live.refusal], ['a', 'why', '']);
  take(live, {job: 'j', seq: 6, type: 'rewind', to: 0});
  assert.deepEqual([live.text, live.reasoning, live.refusal], ['', '', '']);
  take(live, {job: 'j', seq: 7, type: 'done', result: {text: 'b', reasoning: 'r', refusal: 'f'}});
  assert.deepEqual([live.text, live.reasoning, live.refusal], ['b', 'r', 'f']);
});

test('the place in the queue is told while it is known and counts', () => {
  assert.equal(folded({seq: 1, type: 'queued', position: 4}).position, 4);
  assert.equal(folded({seq: 1, type: 'queued'}).position, null);
  assert.equal(folded({seq: 1, type: 'queued', position: 4},
                      {seq: 2, type: 'started', attempt: 1}).position, null);
});

test('tools run and end by their call, and a status lasts until the next words', () => {
  const start = {seq: 1, type: 'tool_start', tool: 'sql', call_id: 'a', arguments: {q: 1}};
  const running = folded(start, {seq: 2, type: 'status', message: 'reading'});
  assert.deepEqual(running.tools, [{id: 'a', name: 'sql', arguments: '{"q":1}', forClient: false}]);
  assert.equal(running.status, 'reading');
  const fold = folded(start, {...start, seq: 2, call_id: 'b'},
                      {seq: 3, type: 'tool_end', tool: 'sql', call_id: 'b', result: 'rows', elapsed: 1},
                      {seq: 4, type: 'status', message: 'writing'}, delta(5, 'x'));
  assert.deepEqual(fold.tools.map((use) => use.result), [undefined, 'rows']);
  assert.equal(fold.status, '');
});

test('an event of a kind that is not known changes nothing but the place', () => {
  const fold = folded(delta(1, 'a'), {seq: 2, type: 'comet', text: 'no'});
  assert.deepEqual([fold.text, fold.seq, fold.phase], ['a', 2, 'queued']);
});
