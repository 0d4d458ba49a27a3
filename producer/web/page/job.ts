// One job in full; a live one as it goes.
import {AnswerView, shownFold} from './answer';
import {Refused} from './api';
import {openDialog} from './dialogs';
import {type Child, fill, h} from './dom';
import {ended} from './fold';
import {copyButton} from './markdown';
import type {Job, Server} from './server';
import type {Streams} from './streams';
import {count, exactly, lasting, words} from './words';

export const labels: Record<string, string> = {
  queued: words.queued, running: words.running, retrying: words.retrying,
  succeeded: words.succeeded, failed: words.failedJobs, cancelled: words.cancelled,
  expired: words.expired,
};

export class JobDetail {
  /** Once it is left, by whomever. */
  readonly closed: Promise<boolean>;
  private readonly facts = h('dl', {className: 'facts'});
  private readonly problem = h('p', {className: 'problem', hidden: true});
  private readonly dialog: HTMLDialogElement;

  constructor(readonly id: string, private readonly server: Server, streams: Streams,
              simulated: () => boolean) {
    const view = new AnswerView(null);
    const {dialog, closed} = openDialog({
      title: `${words.job} ${id}`, className: 'wide',
      body: [copyButton(id, words.copyId), this.facts, this.problem, view.element],
    });
    this.dialog = dialog;
    this.closed = closed;
    const leave = streams.follow(id, {
      changed: (fold) => {
        view.show(shownFold(fold, simulated()));
        if (ended(fold)) void this.read();
      },
      unknown: () => view.show({phase: 'unknown', text: '', simulated: false}),
    });
    void closed.then(leave);
    void this.read();
  }

  close(): void {
    this.dialog.close('');
  }

  private async read(): Promise<void> {
    try {
      this.show(await this.server.job(this.id));
    } catch (failure) {
      this.problem.hidden = false;
      this.problem.textContent = failure instanceof Refused ? failure.message : words.offline;
    }
  }

  private show(job: Job): void {
    const row = (label: string, value: Child) => value && h('div', {}, h('dt', {}, label), h('dd', {}, value));
    this.problem.hidden = true;
    fill(this.facts,
         row(words.status, labels[job.status] ?? job.status),
         row(words.model, job.model),
         row(words.session, job.session),
         row(words.accepted, exactly(job.created_at)),
         row(words.took, job.ended_at ? lasting(job.created_at, job.ended_at) : null),
         row(words.attempts, count(job.attempts)),
         row(words.error, job.error ? `${job.error.message} (${job.error.code})` : null));
  }
}
