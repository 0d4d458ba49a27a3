// The world as a hub in a browser sees it, whether it lives in a worker or in a tab.
import type {Outside} from './hub';

export const outside: Outside = {
  fetch: (path, init) => fetch(path, init),
  wait: (ms) => new Promise((go) => {
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      removeEventListener('online', finish);
      go();
    }
    addEventListener('online', finish);
  }),
  random: Math.random,
};
