// The hub of all tabs of a browser.
import {Hub} from './hub';
import {outside} from './outside';
import type {ToHub} from './wire';

declare const self: SharedWorkerGlobalScope;

const hub = new Hub(outside);

self.onconnect = (event) => {
  const port = event.ports[0]!;
  const tab = {post: port.postMessage.bind(port)};
  hub.join(tab);
  port.onmessage = (message: MessageEvent<ToHub>) => hub.take(tab, message.data);
};
