// The jobs of the queue: all, or those that stand so; one of them in full; cancelled, or sent again.
import {AnswerView, shownFold} from './answer';
import {notice, openDialog} from './dialogs';
import {type Child, fill, h} from './dom';
import type {DeadLetter, Job, Server} from './server';
import type {Streams} from './streams';
import {ago, count, exactly, lasting, words} from './words';

const refreshMs = 2000;
const pageJobs = 30;
const shownMax = 300;

const labels: Record<string, string> = {
  queued: words.queued, running: words.running, retrying: words.retrying,
  succeeded: words.succeeded, failed: words.failedJobs, cancelled: words.cancelled,
  expired: words.expired,
};
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
  private drawn = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly server: Server, private readonly streams: Streams,
              private readonly simulated: () => boolean) {
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

  close(): void {
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
    if (jobs.some((job) => job.status === 'failed')) {
      // Not every edge can be asked for them; then each failed job may be tried.
      const letters = await this.server.deadLetters().catch(() => []);
      this.letters = new Map(letters.map((letter) => [letter.job, letter]));
    }
    return {jobs, more: after !== null};
  }

  private show(jobs: Job[], more: boolean): void {
    this.more.hidden = !more || this.wanted >= shownMax;
    this.empty.hidden = jobs.length > 0;
    for (const time of this.rows.querySelectorAll('time')) time.textContent = ago(time.dateTime);
    const drawn = JSON.stringify([jobs, [...this.letters.values()]],
                                 (name, value: unknown) => name === 'links' ? undefined : value);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.focus;
    fill(this.rows, ...jobs.map((job) => this.row(job)));
    if (focused) this.rows.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  private row(job: Job): HTMLElement {
    const open = h('button', {type: 'button', className: 'job-id', title: job.id}, job.id.slice(0, 8));
    open.dataset.focus = `open-${job.id}`;
    open.addEventListener('click', () => this.open(job));
    const end = job.ended_at ?? null;
    const cell = (label: string, ...children: Child[]) => h('td', {attrs: {'data-label': label}}, ...children);
    return h('tr', {},
             cell(words.job, open),
             cell(words.status, h('span', {className: `pill ${job.status}`}, labels[job.status] ?? job.status)),
             cell(words.model, job.model ?? '–'),
             cell(words.accepted, h('time', {
               dateTime: job.created_at, title: exactly(job.created_at),
             }, ago(job.created_at))),
             cell(words.took, end ? lasting(job.created_at, end) : '–'),
             cell(words.attempts, count(job.attempts)),
             h('td', {className: 'action'}, this.action(job)));
  }

  private action(job: Job): Child {
    if (['queued', 'running', 'retrying'].includes(job.status))
      return this.button(words.cancelJob, `cancel-${job.id}`, job, async () => {
        await this.server.cancel(job.id);
      });
    if (job.status !== 'failed') return null;
    const letter = this.letters.get(job.id);
    if (letter?.redriven_as) return h('span', {className: 'hint'}, words.redriven);
    return this.button(words.redrive, `redrive-${job.id}`, job, async () => {
      await this.server.redrive(job.id);
    });
  }

  private button(label: string, focus: string, job: Job, act: () => Promise<void>): HTMLElement {
    const button = h('button', {
      type: 'button', className: 'button small', attrs: {'aria-label': `${label}: ${job.id.slice(0, 8)}`},
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

  /** One job in full; a live one as it goes. */
  private open(job: Job): void {
    const view = new AnswerView(null);
    const row = (label: string, value: Child) => value && h('div', {}, h('dt', {}, label), h('dd', {}, value));
    const facts = h('dl', {className: 'facts'},
                    row(words.status, labels[job.status] ?? job.status),
                    row(words.model, job.model),
                    row(words.session, job.session),
                    row(words.accepted, exactly(job.created_at)),
                    row(words.took, job.ended_at ? lasting(job.created_at, job.ended_at) : null),
                    row(words.attempts, count(job.attempts)),
                    row(words.error, job.error ? `${job.error.message} (${job.error.code})` : null));
    const {closed} = openDialog({
      title: `${words.job} ${job.id}`, className: 'wide', body: [facts, view.element],
    });
    const leave = this.streams.follow(job.id, {
      changed: (fold) => view.show(shownFold(fold, this.simulated())),
      unknown: () => view.show({phase: 'unknown', text: '', simulated: false}),
    });
    void closed.then(leave);
  }
}
