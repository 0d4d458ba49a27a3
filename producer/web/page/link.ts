// Whether the server is heard: the stream of events says so, and every request. Where it is not, it is
// asked until it answers.

const askAgainMs = 2000;

export class Link {
  /** Called with each change. */
  onChange: (up: boolean) => void = () => {};

  private streams = true;
  private answers = true;
  private up = true;
  private asking = false;

  constructor() {
    addEventListener('offline', () => this.requests(false));
  }

  /** What the stream of events says of itself. */
  stream(up: boolean): void {
    this.streams = up;
    this.tell();
  }

  /** A request was answered, whatever the answer; or it was not. */
  requests(answered: boolean): void {
    this.answers = answered;
    this.tell();
    if (!answered && !this.asking) void this.ask();
  }

  private async ask(): Promise<void> {
    this.asking = true;
    while (!this.answers) {
      await pause(askAgainMs);
      this.answers = await fetch('/livez', {cache: 'no-store'}).then(() => true, () => this.answers);
    }
    this.asking = false;
    this.tell();
  }

  private tell(): void {
    const up = this.streams && this.answers;
    if (up === this.up) return;
    this.up = up;
    this.onChange(up);
  }
}

/** So long, or until the network is back. */
export function pause(ms: number): Promise<void> {
  return new Promise((go) => {
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      removeEventListener('online', finish);
      go();
    }
    addEventListener('online', finish);
  });
}
