/** Reads a text in the format that is said or found. */
import { connectionStringReaders } from './connection-string.ts';
import { detectFormat, formatOfContentType } from './detect.ts';
import type { Format } from './format.ts';
import { readJson } from './json.ts';
import { readRaw } from './raw.ts';
import { malformed, type Reading, type Unreadable } from './reading.ts';
import { addressOrLogin } from './trust.ts';

/** What is known of a value besides its text. */
export interface Hint {
  /** The tag of that name. */
  readonly format?: Format;
  readonly contentType?: string;
  /** The tag of that name: a JSON pointer to the password, to a connection string, or to the object that holds the credential. */
  readonly field?: string;
  /**
   * Where the value leads. `host` (default): to the address that it names. `provider`: the provider's address is known without it.
   * `nowhere`: nothing is sent anywhere on its strength, so that "raw" is believed of any text.
   */
  readonly leads?: 'host' | 'provider' | 'nowhere';
}

/** A text that was read. */
export interface Read {
  readonly kind: 'read';
  readonly format: Format;
  readonly reading: Reading;
}

function readAs(format: Format, text: string, hint: Hint): Reading | Unreadable {
  const { field, leads = 'host' } = hint;
  if (format === 'json')
    return readJson(text, { ...(field === undefined ? {} : { field }), hasAddress: leads === 'host' });
  if (field !== undefined) return malformed('the tag "field" is for JSON, and the value is none');
  if (format !== 'raw') return connectionStringReaders[format](text);
  const hidden = leads === 'nowhere' ? undefined : addressOrLogin(text);
  return hidden === undefined ? readRaw(text) : malformed(`it holds ${hidden}, which must not be hidden`);
}

function formatOf(text: string, hint: Hint): Format | Unreadable {
  const content = formatOfContentType(hint.contentType);
  if (content.kind === 'unreadable') return content;
  if (content.kind === 'json' && hint.format !== undefined && hint.format !== 'json') {
    return malformed(`the tag "format" says ${hint.format}, the content type says JSON; correct one of them`);
  }
  if (hint.format !== undefined) return hint.format;
  return content.kind === 'json' ? 'json' : detectFormat(text);
}

export function read(text: string, hint: Hint): Read | Unreadable {
  if (text.trim() === '') return malformed('it is empty');
  const format = formatOf(text, hint);
  if (typeof format !== 'string') return format;
  const reading = readAs(format, text, hint);
  if (reading.kind === 'reading') return { kind: 'read', format, reading };
  const told = hint.format === undefined ? '' : `the tag "format" says ${hint.format}, but `;
  return { ...reading, detail: `${told}${reading.detail}` };
}
