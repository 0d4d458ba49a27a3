// Markdown as it comes, into elements. A model's HTML stays text: no HTML is ever parsed, so there is
// nothing to sanitise. A link goes to http, https or mailto, and nowhere by itself: an image is a
// link, since fetching it would tell its server what was said here.
import {Lexer, type Token, type Tokens} from 'marked';

import {h} from './dom';
import {icon} from './icons';
import {words} from './words';

const options = {gfm: true, breaks: true};

/** The answer in an element that follows its text: only blocks that changed are made again. */
export class Markdown {
  readonly element = h('div', {className: 'markdown'});
  private raws: string[] = [];

  show(text: string): void {
    const blocks = blocksOf(text);
    let same = 0;
    while (same < blocks.length && same < this.raws.length && blocks[same]!.raw === this.raws[same])
      ++same;
    while (this.element.children.length > same) this.element.lastElementChild!.remove();
    for (const block of blocks.slice(same)) this.element.append(blockElement(block));
    this.raws = blocks.map((block) => block.raw);
  }
}

function blocksOf(text: string): Token[] {
  return new Lexer(options).lex(text).filter((token) => token.type !== 'space' && token.type !== 'def');
}

function blockElement(token: Token): HTMLElement {
  switch (token.type) {
    case 'heading': return heading(token as Tokens.Heading);
    case 'code': return code(token as Tokens.Code);
    case 'blockquote': return h('blockquote', {}, ...blocks(token as Tokens.Blockquote));
    case 'list': return list(token as Tokens.List);
    case 'table': return table(token as Tokens.Table);
    case 'hr': return h('hr');
    case 'paragraph': return h('p', {}, ...inline((token as Tokens.Paragraph).tokens));
    case 'text': {
      const {tokens} = token as Tokens.Text;
      return h('p', {}, ...(tokens ? inline(tokens) : [unescaped(token as Tokens.Text)]));
    }
    default: return h('p', {}, token.raw);
  }
}

function blocks(parent: {tokens: Token[]}): HTMLElement[] {
  return parent.tokens.filter((token) => token.type !== 'space').map(blockElement);
}

/** Below the headings of the page, whatever a model begins with. */
function heading(token: Tokens.Heading): HTMLElement {
  return h('h3', {className: `depth${token.depth}`}, ...inline(token.tokens));
}

function code(token: Tokens.Code): HTMLElement {
  return h('div', {className: 'code'},
           h('div', {className: 'code-head'},
             h('span', {}, token.lang?.split(/\s/)[0] ?? ''), copyButton(token.text, words.copyCode)),
           h('pre', {tabIndex: 0}, h('code', {}, token.text)));
}

function list(token: Tokens.List): HTMLElement {
  const items = token.items.map((item) => h('li', {className: item.task ? 'task' : ''},
      item.task && h('input', {
        type: 'checkbox', disabled: true, checked: item.checked ?? false,
        attrs: {'aria-label': item.text.slice(0, 80)},
      }),
      ...item.tokens.filter((each) => each.type !== 'space').flatMap((each) => listPart(each, item.loose))));
  if (!token.ordered) return h('ul', {}, ...items);
  return h('ol', {start: Number(token.start) || 1}, ...items);
}

function listPart(token: Token, loose: boolean): (HTMLElement | Node | string)[] {
  if (token.type !== 'text' || loose) return [blockElement(token)];
  const {tokens} = token as Tokens.Text;
  return tokens ? inline(tokens) : [unescaped(token as Tokens.Text)];
}

function table(token: Tokens.Table): HTMLElement {
  const cell = (kind: 'th' | 'td') => (each: Tokens.TableCell) =>
      h(kind, {className: each.align ? `to-${each.align}` : ''}, ...inline(each.tokens));
  return h('div', {className: 'table', tabIndex: 0},
           h('table', {},
             h('thead', {}, h('tr', {}, ...token.header.map(cell('th')))),
             h('tbody', {}, ...token.rows.map((row) => h('tr', {}, ...row.map(cell('td')))))));
}

function inline(tokens: Token[] | undefined): (Node | string)[] {
  return (tokens ?? []).map(inlineNode);
}

function inlineNode(token: Token): Node | string {
  switch (token.type) {
    case 'strong': return h('strong', {}, ...inline((token as Tokens.Strong).tokens));
    case 'em': return h('em', {}, ...inline((token as Tokens.Em).tokens));
    case 'del': return h('del', {}, ...inline((token as Tokens.Del).tokens));
    case 'codespan': return h('code', {}, (token as Tokens.Codespan).text);
    case 'br': return h('br');
    case 'link': return link((token as Tokens.Link).href, inline((token as Tokens.Link).tokens));
    case 'image': {
      const {href, text} = token as Tokens.Image;
      return link(href, [`${words.image}: ${text || href}`]);
    }
    case 'escape': return (token as Tokens.Escape).text;
    case 'text': {
      const {tokens} = token as Tokens.Text;
      return tokens ? h('span', {}, ...inline(tokens)) : unescaped(token as Tokens.Text);
    }
    default: return token.raw;
  }
}

/** What stands in the Markdown, but for the entities that Markdown knows. */
function unescaped(token: Tokens.Text): string {
  return token.raw.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => entities[name] ?? whole);
}

const entities: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0',
};

const protocols = ['http:', 'https:', 'mailto:'];

function link(href: string, content: (Node | string)[]): HTMLElement {
  const url = absolute(href);
  if (!url) return h('span', {}, ...content, ` (${href})`);
  return h('a', {href: url, target: '_blank', rel: 'noopener noreferrer nofollow'}, ...content);
}

/** Only what says where it goes: a relative link would lead about in this server. */
function absolute(href: string): string | null {
  try {
    const url = new URL(href);
    return protocols.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Copies this text; null where there is no clipboard: pages have one on secure origins only. */
export function copyButton(text: string, label: string): HTMLButtonElement | null {
  if (!navigator.clipboard) return null;
  const button = h('button', {
    type: 'button', className: 'icon-button', title: label, attrs: {'aria-label': label},
  }, icon('copy'));
  button.addEventListener('click', () => void copy(text, button));
  return button;
}

async function copy(text: string, button: HTMLButtonElement): Promise<void> {
  await navigator.clipboard.writeText(text);
  button.replaceChildren(icon('check'));
  button.setAttribute('aria-label', words.copied);
  setTimeout(() => {
    button.replaceChildren(icon('copy'));
    button.setAttribute('aria-label', button.title);
  }, 1500);
}
