// How full the queue is, how fast it empties, and what it stands on; live.
import {Refused} from './api';
import {fill, h, svg} from './dom';
import type {Ready, Server} from './server';
import {count, words} from './words';

const sampleMs = 2000;
const keptMs = 180_000;

interface Sample {
  at: number;
  waiting: number;
}

/** Kept while the page is open, so that leaving the view and coming back loses no past. */
const samples: Sample[] = [];

export class QueueView {
  readonly element: HTMLElement;
  private readonly waiting = h('p', {className: 'big'}, '–');
  private readonly finished = h('p', {className: 'big'}, '–');
  private readonly accepted = h('p', {className: 'big'}, '–');
  private readonly chart = h('div', {className: 'chart'});
  private readonly parts = h('ul', {className: 'parts'});
  private readonly detail = h('p', {className: 'problem', hidden: true});
  private acceptedBefore: {at: number; total: number} | null = null;
  private mayCount = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly server: Server) {
    const tile = (label: string, value: HTMLElement, unit: string) =>
        h('section', {className: 'tile'}, h('h2', {}, label), value, h('p', {className: 'hint'}, unit));
    // Nothing in it takes the focus, and who has no mouse has to scroll it.
    this.element = h('div', {className: 'page', tabIndex: 0, role: 'region', attrs: {'aria-label': words.queue}},
                     h('h1', {}, words.queue),
                     h('div', {className: 'tiles'},
                       tile(words.waitingJobs, this.waiting, words.waitingText),
                       tile(words.finishedRate, this.finished, words.perMinute),
                       tile(words.acceptedRate, this.accepted, words.perMinute)),
                     h('section', {className: 'tile'}, h('h2', {}, words.lately), this.chart),
                     h('section', {className: 'tile'}, h('h2', {}, words.parts), this.parts, this.detail));
    void this.look();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    if (!document.hidden) {
      const [queue, ready, accepted] = await Promise.all([
        this.server.queue().catch(() => null), this.server.ready().catch(() => null),
        this.mayCount ? this.server.acceptedTotal().catch((failure: unknown) => this.notCounted(failure)) : null]);
      if (this.closed) return;
      this.showQueue(queue?.waiting ?? null, queue?.finished_per_s ?? null);
      this.showAccepted(accepted);
      this.showParts(ready);
    }
    this.timer = setTimeout(() => void this.look(), sampleMs);
  }

  /** A key without the right to the numbers does not ask for them again. */
  private notCounted(failure: unknown): null {
    if (failure instanceof Refused && failure.status === 403) this.mayCount = false;
    return null;
  }

  private showQueue(waiting: number | null, finishedPerS: number | null): void {
    this.waiting.textContent = waiting === null ? '–' : count(waiting);
    this.finished.textContent = finishedPerS === null ? '–' : count(finishedPerS * 60, 1);
    if (waiting === null) return;
    const now = Date.now();
    samples.push({at: now, waiting});
    while (samples[0]!.at < now - keptMs) samples.shift();
    const most = Math.max(...samples.map((each) => each.waiting));
    fill(this.chart, h('p', {className: 'hint most', attrs: {'aria-hidden': 'true'}}, count(Math.max(1, most))),
         drawn(samples, now, most, words.depthChart(waiting, most)));
  }

  private showAccepted(total: number | null): void {
    const before = this.acceptedBefore;
    const now = Date.now();
    if (total === null) return;
    if (!before || total < before.total || now - before.at > 60_000) this.acceptedBefore = {at: now, total};
    if (!before || total < before.total) return;
    const minutes = (now - before.at) / 60_000;
    if (minutes > 0) this.accepted.textContent = count((total - before.total) / minutes, 1);
  }

  private showParts(ready: Ready | null): void {
    const part = (label: string, state: string | undefined) => h('li', {},
        h('span', {}, label),
        h('span', {className: `pill ${state === 'ok' ? 'succeeded' : state ? 'failed' : ''}`},
          state === 'ok' ? words.ok : state ? words.away : words.unknown));
    fill(this.parts, part(words.partQueue, ready?.queue), part(words.partLog, ready?.event_log),
         part(words.partStore, ready?.store));
    this.detail.hidden = !ready?.detail;
    this.detail.textContent = ready?.detail ?? '';
  }
}

const width = 600;
const height = 120;

function drawn(all: Sample[], now: number, most: number, label: string): SVGElement {
  const top = Math.max(1, most);
  const points = all.map(({at, waiting}) => [
    width * (1 - (now - at) / keptMs), height - 6 - (height - 12) * waiting / top,
  ].map((each) => each.toFixed(1)).join(' '));
  const line = `M${points.join('L')}`;
  const first = points[0]!.split(' ')[0]!;
  return svg('svg', {
    viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label,
  }, svg('path', {class: 'grid', d: `M0 6H${width}M0 ${height / 2}H${width}M0 ${height - 6}H${width}`}),
     svg('path', {class: 'area', d: `${line}L${width} ${height - 6}L${first} ${height - 6}Z`}),
     svg('path', {class: 'line', d: line}));
}
