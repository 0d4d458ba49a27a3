import {svg} from './dom';

/** Lines on a 24 × 24 grid. */
const paths = {
  plus: 'M12 5v14M5 12h14',
  send: 'M12 19V5M5.5 11.5 12 5l6.5 6.5',
  stop: 'M7 7h10v10H7z',
  trash: 'M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3',
  pencil: 'M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6 6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 13l4.5 4.5L19 7',
  again: 'M20 12a8 8 0 1 1-2.5-5.8M20 4v5h-5',
  down: 'M12 5v14M5.5 12.5 12 19l6.5-6.5',
  chat: 'M4 5h16v11H9l-5 4z',
  jobs: 'M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01',
  queue: 'M4 19V5M4 19h16M8 15l4-5 3 3 5-7',
  key: 'M14.5 9.5a4.5 4.5 0 1 1-2.6-4.1 4.5 4.5 0 0 1 2.6 4.1zM13.5 12.5 20 19M17 16l2-2',
  thought: 'M9 18h6M10 21h4M8.5 15a6 6 0 1 1 7 0z',
  tool: 'M14 6a4 4 0 0 0 4.9 4.9L20 12l-8 8-3-3 8-8-1.1-1.1M4 4l5 5',
} as const;

export type IconName = keyof typeof paths;

export function icon(name: IconName): SVGElement {
  return svg('svg', {viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true'},
             svg('path', {d: paths[name]}));
}

/** A wheel that water turns. */
export function logo(): SVGElement {
  const spokes = [0, 45, 90, 135].map((degrees) => {
    const angle = degrees * Math.PI / 180;
    const [x, y] = [Math.cos(angle) * 10.5, Math.sin(angle) * 10.5];
    return `M${(12 - x).toFixed(2)} ${(12 - y).toFixed(2)}L${(12 + x).toFixed(2)} ${(12 + y).toFixed(2)}`;
  });
  return svg('svg', {viewBox: '0 0 24 24', class: 'logo', 'aria-hidden': 'true'},
             svg('circle', {cx: '12', cy: '12', r: '7.2'}),
             svg('circle', {cx: '12', cy: '12', r: '2.2'}),
             svg('path', {d: spokes.join('')}));
}
