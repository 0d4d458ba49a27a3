// Server-sent events, from bytes to frames.

export interface Frame {
  event: string;
  data: string;
}

/** Takes the bytes of one connection as they come; gives each frame once it is complete. */
export class FrameReader {
  private readonly decoder = new TextDecoder();
  private rest = '';
  private event = '';
  private data: string[] = [];

  /** The frames that these bytes complete; what is left over waits for the next. */
  take(bytes: Uint8Array): Frame[] {
    this.rest += this.decoder.decode(bytes, {stream: true});
    const frames: Frame[] = [];
    let from = 0;
    for (let end; (end = this.rest.indexOf('\n', from)) >= 0; from = end + 1) {
      const line = this.rest.slice(from, this.rest[end - 1] === '\r' ? end - 1 : end);
      const frame = this.line(line);
      if (frame) frames.push(frame);
    }
    this.rest = this.rest.slice(from);
    return frames;
  }

  private line(line: string): Frame | null {
    if (line !== '') {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
      if (name === 'event') this.event = value;
      if (name === 'data') this.data.push(value);
      return null;
    }
    const frame = {event: this.event || 'message', data: this.data.join('\n')};
    const said = this.data.length > 0;
    this.event = '';
    this.data = [];
    return said ? frame : null;
  }
}
