import assert from 'node:assert/strict';
import {test} from 'node:test';

import {FrameReader} from '../../../../producer/web/page/frames';

const bytes = new TextEncoder().encode(
    'retry: 1000\nevent: delta\ndata: {"text":"물레방아"}\nid: 1\n\n: silence\n\n' +
    'event: done\r\ndata: one\r\ndata:two\r\n\r\ndata: bare\n\n');
const expected = [
  {event: 'delta', data: '{"text":"물레방아"}'},
  {event: 'done', data: 'one\ntwo'},
  {event: 'message', data: 'bare'},
];

test('frames are the same wherever the bytes are cut', () => {
  for (let cut = 0; cut <= bytes.length; ++cut) {
    const reader = new FrameReader();
    const frames = [...reader.take(bytes.slice(0, cut)), ...reader.take(bytes.slice(cut))];
    assert.deepEqual(frames, expected, `cut at ${cut}`);
  }
});

test('a frame that is not complete is not given', () => {
  const reader = new FrameReader();
  assert.deepEqual(reader.take(new TextEncoder().encode('event: delta\ndata: x\nid: 1\n')), []);
});
