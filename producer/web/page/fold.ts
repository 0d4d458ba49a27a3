// What a reader of a job's events holds: the rules of "Reading a stream" in the README.

export interface ToolUse {
  id: string;
  name: string;
  arguments: string;
  /** Absent while it runs, and for a tool that is left to the client. */
  result?: string;
  /** The client has to run it; nobody here will. */
  forClient: boolean;
}

export type Phase = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

type Mark = [seq: number, text: number, reasoning: number, refusal: number];

export interface Fold {
  job: string;
  /** The last event that was taken in. */
  seq: number;
  phase: Phase;
  text: string;
  /** How the model came to it, and why it gives no answer; no part of the text. */
  reasoning: string;
  refusal: string;
  /** After each event that changed one of the three: its seq, and their lengths. */
  marks: Mark[];
  /** What the worker says it does; the next words of the answer take it away. */
  status: string;
  /** Jobs before this one, where that is known. */
  position: number | null;
  tools: ToolUse[];
  model: string;
  error: string;
}

/** One event, as the relay sends it. */
export interface JobEvent {
  job: string;
  /** Absent in what the relay made itself. */
  seq?: number;
  type: string;
  [member: string]: unknown;
}

export function emptyFold(job: string): Fold {
  return {
    job, seq: 0, phase: 'queued', text: '', reasoning: '', refusal: '', marks: [], status: '',
    position: null, tools: [], model: '', error: '',
  };
}

export function ended(fold: Fold): boolean {
  return fold.phase !== 'queued' && fold.phase !== 'running';
}

/** Takes the next event in. False, and nothing changes: it was there before, or all is over. */
export function take(fold: Fold, event: JobEvent): boolean {
  if (ended(fold)) return false;
  if (event.seq !== undefined) {
    if (event.seq <= fold.seq) return false;
    fold.seq = event.seq;
  }
  (changes[event.type] ?? ignore)(fold, event);
  return true;
}

type Change = (fold: Fold, event: JobEvent) => void;

const ignore: Change = () => {};

const changes: Record<string, Change> = {
  queued: (fold, event) => {
    fold.position = typeof event.position === 'number' ? event.position : null;
  },
  started: (fold) => {
    fold.phase = 'running';
    fold.position = null;
  },
  status: (fold, event) => { fold.status = words(event.message); },
  delta: (fold, event) => more(fold, 'text', event),
  reasoning: (fold, event) => more(fold, 'reasoning', event),
  refusal: (fold, event) => more(fold, 'refusal', event),
  rewind: (fold, event) => rewind(fold, Number(event.to)),
  snapshot: (fold, event) => {
    fold.text = words(event.text);
    fold.marks = [mark(fold, Number(event.upto))];
  },
  tool_start: (fold, event) => { fold.tools.push(toolUse(event, words(event.tool), false)); },
  tool_end: (fold, event) => {
    const id = words(event.call_id);
    const use = fold.tools.find((each) => each.id === id && each.result === undefined);
    if (use) use.result = readable(event.result);
  },
  tool_call: (fold, event) => { fold.tools.push(toolUse(event, words(event.name), true)); },
  done: (fold, event) => {
    const result = (event.result ?? {}) as Record<string, unknown>;
    end(fold, 'succeeded');
    fold.text = words(result.text);
    fold.reasoning = words(result.reasoning);
    fold.refusal = words(result.refusal);
    fold.model = words(result.model);
  },
  error: (fold, event) => {
    end(fold, 'failed');
    fold.error = words(event.message) || words(event.code);
  },
  cancelled: (fold) => end(fold, 'cancelled'),
  expired: (fold) => end(fold, 'expired'),
};

function more(fold: Fold, of: 'text' | 'reasoning' | 'refusal', event: JobEvent): void {
  fold[of] += words(event.text);
  fold.marks.push(mark(fold, fold.seq));
  fold.status = '';
}

function mark(fold: Fold, seq: number): Mark {
  return [seq, fold.text.length, fold.reasoning.length, fold.refusal.length];
}

/** Back to what was said after event `to`; before the first mark there was nothing. */
function rewind(fold: Fold, to: number): void {
  while (fold.marks.length > 0 && fold.marks.at(-1)![0] > to) fold.marks.pop();
  const [, text, reasoning, refusal] = fold.marks.at(-1) ?? [0, 0, 0, 0];
  fold.text = fold.text.slice(0, text);
  fold.reasoning = fold.reasoning.slice(0, reasoning);
  fold.refusal = fold.refusal.slice(0, refusal);
}

function end(fold: Fold, phase: Phase): void {
  fold.phase = phase;
  fold.status = '';
  fold.position = null;
  fold.marks = [];
}

function toolUse(event: JobEvent, name: string, forClient: boolean): ToolUse {
  return {id: words(event.call_id), name, arguments: readable(event.arguments), forClient};
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readable(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
