// What a tab and the hub say to each other.
import type {Fold, JobEvent} from './fold';

/** What other tabs may want to know of. */
export interface News {
  /** This conversation has another message. */
  conversation: string;
}

export type ToHub =
    | {do: 'key'; key: string}
    | {do: 'follow'; job: string}
    | {do: 'leave'; job: string}
    | {do: 'tell'; of: News}
    | {do: 'bye'};

export type FromHub =
    | {is: 'fold'; fold: Fold}
    | {is: 'events'; job: string; events: JobEvent[]}
    | {is: 'link'; up: boolean}
    | {is: 'unknown'; job: string}
    | {is: 'locked'}
    | {is: 'news'; of: News};
