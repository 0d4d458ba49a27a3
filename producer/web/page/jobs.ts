// The jobs of the queue: all, or those that stand so; cancelled, or sent again.
import {Refused} from './api';
import {notice} from './dialogs';
import {type Child, fill, h} from './dom';
import {JobDetail, labels} from './job';
import type {DeadLetter, Job, Server} from './server';
import type {Streams} from './streams';
import {ago, count, exactly, idTail, lasting, words} from './words';

const refreshMs = 2000;
const pageJobs = 30;
const shownMax = 300;

const filters = ['', 'queued', 'running', 'succeeded', 'failed', 'cancelled'];

export class JobsView {
  readonly element: HTMLElement;
  private readonly rows = h('tbody');
  private readonly empty = h('p', {className: 'hint', hidden: true}, words.noJobs);
  private readonly more = h('button', {type: 'button', className: 'button', hidden: true}, words.more);
  private readonly filterBar = h('div', {
    className: 'filters', role: 'group', attrs: {'aria-label': words.status},
  });
  private filter = '';
  private wanted = pageJobs;
  private letters = new Map<string, DeadLetter>();
  /** False where the server cannot search the dead letters. */
  private lettersListed = true;
  /** What was run again from here: all that is known of it where letters are not listed. */
  private readonly redriven = new Set<string>();
  private detail: JobDetail | null = null;
  private drawn = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly server: Server, private readonly streams: Streams,
              private readonly simulated: () => boolean, private readonly left: () => void) {
    const heads = [words.job, words.status, words.model, words.accepted, words.took, words.attempts];
    this.element = h('div', {className: 'page'},
                     h('h1', {}, words.jobs), this.filterBar,
                     h('table', {className: 'jobs'},
                       h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', {scope: 'col'}, head)),
                         h('th', {scope: 'col'}, h('span', {className: 'sr-only'}, words.action)))),
                       this.rows),
                     this.empty, this.more);
    this.more.addEventListener('click', () => {
      this.wanted = Math.min(shownMax, this.wanted + pageJobs);
      void this.refresh();
    });
    this.showFilters();
    document.addEventListener('visibilitychange', this.seen);
    void this.refresh();
  }

  /** Shows this job in full, or with '' none. */
  look(id: string): void {
    if (this.detail?.id === id) return;
    this.detail?.close();
    this.detail = id === '' ? null : new JobDetail(id, this.server, this.streams, this.simulated);
    const own = this.detail;
    void own?.closed.then(() => {
      this.rows.querySelector<HTMLElement>(`[data-focus="open-${id}"]`)?.focus();
      if (this.detail !== own) return;
      this.detail = null;
      this.left();
    });
  }

  close(): void {
    this.look('');
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
  }

  private readonly seen = () => {
    if (!document.hidden) void this.refresh();
  };

  private showFilters(): void {
    fill(this.filterBar, ...filters.map((status) => {
      const button = h('button', {
        type: 'button', className: 'filter', attrs: {'aria-pressed': String(status === this.filter)},
      }, status === '' ? words.all : labels[status]!);
      button.addEventListener('click', () => {
        this.filter = status;
        this.wanted = pageJobs;
        for (const each of this.filterBar.children)
          each.setAttribute('aria-pressed', String(each === button));
        void this.refresh();
      });
      return button;
    }));
  }

  private async refresh(): Promise<void> {
    clearTimeout(this.timer);
    const filter = this.filter;
    try {
      const {jobs, more} = await this.read(filter);
      if (this.closed || filter !== this.filter) return;
      this.show(jobs, more);
    } catch {
      // The next look comes soon; meanwhile what was seen stays.
    }
    clearTimeout(this.timer);
    if (!this.closed && !document.hidden) this.timer = setTimeout(() => void this.refresh(), refreshMs);
  }

  private async read(filter: string): Promise<{jobs: Job[]; more: boolean}> {
    const jobs: Job[] = [];
    let after: string | null = null;
    do {
      const page = await this.server.jobs(filter, after, Math.min(100, this.wanted - jobs.length));
      jobs.push(...page.data);
      after = page.next;
    } while (after && jobs.length < this.wanted);
    if (this.lettersListed && jobs.some((job) => job.status === 'failed')) {
      // Who may not read them may try each failed job.
      const letters = await this.server.deadLetters().catch((failure: unknown) => {
        this.lettersListed = !(failure instanceof Refused && failure.code === 'not_supported');
        return [];
      });
      this.letters = new Map(letters.map((letter) => [letter.job, letter]));
    }
    return {jobs, more: after !== null};
  }

  private show(jobs: Job[], more: boolean): void {
    this.more.hidden = !more || this.wanted >= shownMax;
    this.empty.hidden = jobs.length > 0;
    for (const time of this.rows.querySelectorAll('time')) time.textContent = ago(time.dateTime);
    const drawn = JSON.stringify([jobs, [...this.letters.values()], [...this.redriven]],
                                 (name, value: unknown) => name === 'links' ? undefined : value);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.focus;
    fill(this.rows, ...jobs.map((job) => this.row(job)));
    if (focused) this.rows.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  private row(job: Job): HTMLElement {
    // Ids of one hour begin alike: the end tells them apart. Who copies it gets all of it.
    const tail = idTail(job.id);
    const open = h('a', {className: 'job-id', href: `#/jobs/${job.id}`, title: job.id,
                         attrs: {'aria-label': `${words.job} ${tail}`}},
                   h('span', {className: 'id-head'}, job.id.slice(0, -tail.length)), tail);
    open.dataset.focus = `open-${job.id}`;
    const end = job.ended_at ?? null;
    const cell = (label: string, ...children: Child[]) => h('td', {attrs: {'data-label': label}}, ...children);
    return h('tr', {},
             cell(words.job, open),
             cell(words.status, h('span', {className: `pill ${job.status}`}, labels[job.status] ?? job.status)),
             cell(words.model, job.model ?? '–'),
             cell(words.accepted, h('time', {
               dateTime: job.created_at, title: exactly(job.created_at),
             }, ago(job.created_at))),
             cell(words.took, h('span', {className: 'took'}, end ? lasting(job.created_at, end) : '–')),
             cell(words.attempts, count(job.attempts)),
             h('td', {className: 'action'}, this.action(job)));
  }

  private action(job: Job): Child {
    if (['queued', 'running', 'retrying'].includes(job.status))
      return this.button(words.cancelJob, `cancel-${job.id}`, job, async () => {
        await this.server.cancel(job.id);
      });
    if (job.status !== 'failed') return null;
    if (this.letters.get(job.id)?.redriven_as || this.redriven.has(job.id))
      return h('span', {className: 'hint'}, words.redriven);
    return this.button(words.redrive, `redrive-${job.id}`, job, async () => {
      await this.server.redrive(job.id);
      this.redriven.add(job.id);
    });
  }

  private button(label: string, focus: string, job: Job, act: () => Promise<void>): HTMLElement {
    const button = h('button', {
      type: 'button', className: 'button small', attrs: {'aria-label': `${label}: ${idTail(job.id)}`},
    }, label);
    button.dataset.focus = focus;
    button.addEventListener('click', () => {
      button.disabled = true;
      void act().catch((failure: unknown) => {
        button.disabled = false;
        notice(`${words.wrong}: ${failure instanceof Error ? failure.message : ''}`);
      }).then(() => this.refresh());
    });
    return button;
  }
}
