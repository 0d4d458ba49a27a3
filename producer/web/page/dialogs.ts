// Questions to the person. Each is a modal <dialog>: the browser keeps the focus in it, Escape
// leaves it, and the focus returns to where it was.
import {type Child, h} from './dom';
import {icon} from './icons';
import {freshName} from './kept';
import {words} from './words';

interface Shape {
  title: string;
  body: Child[];
  confirm?: {label: string; danger?: boolean};
  className?: string;
  /** Nobody can leave it without an answer. */
  must?: boolean;
}

interface Opened {
  dialog: HTMLDialogElement;
  /** True when it was confirmed. */
  closed: Promise<boolean>;
}

export function openDialog(shape: Shape): Opened {
  const titleId = `title-${freshName()}`;
  const form = h('form', {method: 'dialog'},
                 h('h2', {id: titleId}, shape.title), ...shape.body);
  const dialog = h('dialog', {
    className: `dialog ${shape.className ?? ''}`, attrs: {'aria-labelledby': titleId},
  }, form);
  const cancel = h('button', {type: 'button', className: 'button'}, words.cancel);
  cancel.addEventListener('click', () => dialog.close(''));
  if (shape.confirm) {
    form.append(h('div', {className: 'dialog-foot'}, !shape.must && cancel,
                  h('button', {
                    value: 'yes', className: `button ${shape.confirm.danger ? 'danger' : 'primary'}`,
                  }, shape.confirm.label)));
  } else {
    const close = h('button', {
      className: 'icon-button dialog-close', attrs: {'aria-label': words.close},
    }, icon('close'));
    form.prepend(close);
  }
  if (shape.must) dialog.addEventListener('cancel', (event) => event.preventDefault());
  const closed = new Promise<boolean>((go) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      go(dialog.returnValue === 'yes');
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  return {dialog, closed};
}

export function askWhether(title: string, text: string, label: string): Promise<boolean> {
  return openDialog({title, body: [h('p', {}, text)], confirm: {label, danger: true}}).closed;
}

/** The text that was given, or null. */
export async function askText(title: string, label: string, value: string): Promise<string | null> {
  const input = h('input', {
    id: `input-${freshName()}`, value, maxLength: 120, required: true, autocomplete: 'off',
  });
  const asked = openDialog({
    title, body: [h('label', {htmlFor: input.id}, label), input], confirm: {label: words.save},
  });
  input.select();
  return await asked.closed ? input.value.trim() || null : null;
}

/** An API key; there is no way on without one. */
export async function askKey(refused: boolean): Promise<string> {
  const input = h('input', {
    id: `input-${freshName()}`, type: 'password', required: true, autocomplete: 'off',
    spellcheck: false,
  });
  const asked = openDialog({
    title: words.keyTitle, must: true,
    body: [
      h('p', {}, words.keyText),
      refused && h('p', {className: 'problem', role: 'alert'}, words.keyWrong),
      h('label', {htmlFor: input.id}, words.key), input,
    ],
    confirm: {label: words.open},
  });
  // Some browsers close a dialog on the second Escape, whatever the first was told.
  return await asked.closed && input.value.trim() ? input.value.trim() : askKey(refused);
}

const notices = h('div', {className: 'notices', role: 'alert'});

/** Says what went wrong, for some seconds. */
export function notice(text: string): void {
  if (!notices.isConnected) document.body.append(notices);
  const one = h('p', {className: 'notice'}, text);
  notices.append(one);
  setTimeout(() => one.remove(), 8000);
}

const heard = h('p', {className: 'sr-only', role: 'status'});

/** For screen readers alone: once, when there is something to say. */
export function say(text: string): void {
  if (!heard.isConnected) document.body.append(heard);
  heard.textContent = text;
}
