// What this page asks of the server, and in what shape the answers come.
import type {Api} from './api';

export interface Message {
  message_id: string;
  role: 'user' | 'assistant';
  content: string;
  created_at: string;
  /** `complete`, or how the job ended: `interrupted`, `failed`, `expired`. */
  status: string;
  job_id: string;
}

export interface Job {
  id: string;
  status: string;
  kind: string;
  session: string | null;
  model: string | null;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  attempts: number;
  result?: {text: string; model: string | null; reasoning?: string; refusal?: string} | null;
  error: {code: string; message: string} | null;
}

export interface JobPage {
  data: Job[];
  has_more: boolean;
  next: string | null;
}

export interface DeadLetter {
  job: string;
  redriven_as: string | null;
}

export interface Ready {
  status: string;
  queue: string;
  event_log: string;
  store: string;
  detail?: string;
}

const messagesMax = 1000;

export class Server {
  constructor(private readonly api: Api) {}

  async newConversation(): Promise<string> {
    const made = await this.api.post<{session_id: string}>('/api/sessions', {});
    return made.session_id;
  }

  removeConversation(id: string): Promise<unknown> {
    return this.api.remove(`/api/sessions/${encodeURIComponent(id)}`);
  }

  async messages(id: string): Promise<Message[]> {
    const path = `/api/sessions/${encodeURIComponent(id)}/messages?limit=${messagesMax}`;
    return (await this.api.get<{messages: Message[]}>(path)).messages;
  }

  /** The job that answers it. Under the same key it is the same question, however often. */
  async ask(conversation: string, message: string, key: string): Promise<string> {
    const taken = await this.api.post<{job_id: string}>(
        '/api/chat', {session_id: conversation, message},
        {'Idempotency-Key': key, Prefer: 'respond-async'});
    return taken.job_id;
  }

  cancel(job: string): Promise<Job> {
    return this.api.post(`/v1/jobs/${job}/cancel`);
  }

  job(id: string): Promise<Job> {
    return this.api.get(`/v1/jobs/${id}`);
  }

  jobs(status: string, after: string | null, limit: number): Promise<JobPage> {
    const query = new URLSearchParams({limit: String(limit)});
    if (status) query.set('status', status);
    if (after) query.set('after', after);
    return this.api.get(`/v1/jobs?${query}`);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    return (await this.api.get<{data: DeadLetter[]}>('/v1/dead-letters?limit=100')).data;
  }

  async redrive(job: string): Promise<string> {
    const sent = await this.api.post<{data: {id: string}[]}>('/v1/dead-letters/redrive', {id: job});
    return sent.data[0]?.id ?? '';
  }

  queue(): Promise<{waiting: number | null; finished_per_s: number | null}> {
    return this.api.get('/v1/queue');
  }

  /** 503 says the same as 200: which part is away. */
  async ready(): Promise<Ready> {
    const answer = await fetch('/readyz', {cache: 'no-store'});
    return await answer.json() as Ready;
  }

  /** Jobs that this edge has accepted since it began; a key may not be allowed to know. */
  async acceptedTotal(): Promise<number | null> {
    const text = await this.api.text('/metrics');
    const found = /^millrace_jobs_accepted_total (\S+)$/m.exec(text);
    return found ? Number(found[1]) : null;
  }

  /** True where a simulator answers, because no model is configured or its simulator is. */
  async simulated(): Promise<boolean> {
    const {data} = await this.api.get<{data: {id: string; owned_by: string}[]}>('/v1/models');
    return data.some((each) => each.owned_by === 'millrace-simulator' || /^sim(-|$)/.test(each.id));
  }
}
