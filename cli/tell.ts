/** How troubles and failures are told to a person: code, cause, what to do, page. */
import { paint } from './terminal/paint.ts';
import type { Terminal } from './terminal/terminal.ts';
import { plain, wrapped } from './terminal/text.ts';
import type { Trouble } from './trouble.ts';

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly page?: string | undefined;
  readonly more?: readonly string[] | undefined;
}

/** Lines that say what went wrong and what to do. `columns` undefined: not broken. */
export function troubleLines(told: Told, columns: number | undefined, colour: boolean, indent = ''): readonly string[] {
  const inner = `${indent}  `;
  return [
    `${indent}${paint(plain(told.code), 'red', colour)}`,
    wrapped(plain(told.message), columns, inner),
    ...(told.more ?? []).map((line) => wrapped(plain(line), columns, `${inner}- `)),
    wrapped(`${paint('Do:', 'bold', colour)} ${plain(told.hint)}`, columns, inner),
    ...(told.page === undefined ? [] : [`${inner}${paint(`See ${plain(told.page)}`, 'dim', colour)}`]),
  ];
}

export function tellTrouble(terminal: Terminal, trouble: Trouble, json: boolean): void {
  if (json) {
    const { kind: _kind, exit: _exit, ...told } = trouble;
    terminal.err(JSON.stringify({ error: told }));
    return;
  }
  for (const line of troubleLines(trouble, terminal.columns, terminal.colour.err)) terminal.err(line);
}
