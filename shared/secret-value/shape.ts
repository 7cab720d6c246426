/**
 * What a text is when it is no password: a file, an assignment, an address, a key block, a reference to another secret.
 *
 * Taken for a password the whole of it would be replaced, so the rules are cautious: a password that happens to look like one of these is
 * refused too, and the tag "format" says that it is meant. Each rule takes time in proportion to the length of the text.
 */
import { base64Text, isDerFile } from './base64.ts';

interface Shape {
  readonly test: (text: string) => boolean;
  /** What it is, as the rest of a sentence that begins with "it". */
  readonly detail: string;
  /** No password looks like this by chance, so it is refused in a field that is called a password, too. */
  readonly certain?: true;
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

const name = '[A-Za-z_][\\w.-]{0,99}';
const variable = `(?:export\\s{1,9}|set\\s{1,9}|\\$env:)?${name}`;
const variableLine = /^(?:export\s{1,9})?[A-Za-z_][\w.-]{1,99}\s{0,9}[=:]/i;
const otherLine = /^(?:#|;|\[[^\]]*\]$|$)/;

/** Every line assigns a value, two at least, but for comments and headings. */
function isVariablesFile(text: string): boolean {
  const lines = text
    .replaceAll('\r', '\n')
    .split('\n')
    .map((line) => line.trim());
  const others = lines.filter((line) => !variableLine.test(line));
  return lines.length - others.length > 1 && others.every((line) => otherLine.test(line));
}

/** How configuration names what another system puts in its place. */
const references = [
  /^@Microsoft\.(?:KeyVault|AppConfiguration)\(/i,
  /^\$\{[A-Za-z_][\w.:-][^{}]*\}$/,
  /^\$\([A-Za-z_][\w.-][^()]*\)$/,
  /^\$env:[A-Za-z_]\w+$/i,
  /^\{\{\s*[A-Za-z_.$]\s*[\w.][^{}]*\}\}$/,
  /^#\{\s*[A-Za-z_][\w.-][^{}]*\}#?$/,
  /^__[A-Z][A-Z0-9_]{2,99}__$/,
  /^(?:op|vault|akv|azurekeyvault|awssm|gcpsm|bws):\/\/\S+$/i,
];

/** Whether the text stands for a secret that is kept elsewhere. */
export function isReference(text: string): boolean {
  const trimmed = text.trim();
  return references.some((each) => each.test(trimmed));
}

const isJsonText = matches(/^(?:\{\s*["'][\w$ .-]{1,99}["']\s*:|\[\s*\{\s*["'])/);

function isFileInBase64(text: string): boolean {
  const inner = base64Text(text);
  return inner !== undefined && (isJsonText(inner) || inner.includes('-----BEGIN ') || isVariablesFile(inner));
}

const shapes: readonly Shape[] = [
  { test: isReference, detail: 'is a reference to a secret that is kept elsewhere', certain: true },
  { test: (text) => text.includes('-----BEGIN '), detail: 'is a PEM block', certain: true },
  {
    test: matches(/^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-[\w-]+|PuTTY-User-Key-File-\d:) /),
    detail: 'is an SSH key',
    certain: true,
  },
  { test: isDerFile, detail: 'is a certificate or key file in base64', certain: true },
  { test: isFileInBase64, detail: 'is a file in base64', certain: true },
  { test: matches(/^<(?:\?xml|!DOCTYPE|[A-Za-z][\w:.-]{2,99}[\s>/][\s\S]*>$)/), detail: 'is XML', certain: true },
  { test: isJsonText, detail: 'begins as JSON but is no object or list that can be read', certain: true },
  { test: matches(/^(?:Basic|Bearer|Digest|Negotiate) +\S+$/i), detail: 'is the value of a header', certain: true },
  {
    test: matches(/(?:^|[?&;, ])sig=|^SharedAccessSignature[ =]|;\s*SharedAccessSignature=/i),
    detail: 'is a SAS, which no other password or key can replace',
  },
  { test: isVariablesFile, detail: 'is a file of several lines', certain: true },
  { test: matches(/[\r\n]/), detail: 'is a text of several lines' },
  { test: matches(/^(["'`])[\s\S]*\1$/), detail: 'stands in quotes' },
  { test: matches(/@\w{2,20}\([^()]*\)\//), detail: 'is a DSN of Go, which is not read', certain: true },
  { test: matches(/^[^\s@/]+@\/\S*$/), detail: 'is a DSN of Go, which is not read' },
  {
    test: matches(/^(?:[^:\s\\]|\\.)+:(?:\d{1,5}|\*):(?:[^:\\]|\\.)+:(?:[^:\\]|\\.)+:[\s\S]+$/),
    detail: 'is a line of .pgpass',
  },
  { test: matches(/(?:^|\s)--[a-z][\w-]*(?:[= ]|$)/i), detail: 'is a command line' },
  { test: matches(new RegExp(`^${variable}\\s{0,9}=\\s{0,9}[^=\\s]`, 'i')), detail: 'assigns a value to a name' },
  { test: matches(new RegExp(`^(?:- )?["']?${name}["']?:\\s+\\S`)), detail: 'is written as "name: value"' },
  {
    test: matches(/^(?:(?:[A-Za-z]:\\|\\\\|~?\/[\w.-]+\/)\S*\.[A-Za-z]\w{0,4}$|\/subscriptions\/)/),
    detail: 'is the path of a file or a resource',
  },
  {
    test: matches(/^(?:[\w-]+\.)*[\w-]+:\d{1,5}(?:[/,]\S*)?$|^\[[0-9a-f:.]+\](?::\d{1,5})?$/i),
    detail: 'is an address without a password',
  },
  { test: matches(/^[^\s:@/]+:[^\s@]+@[\w.[\]:-]+(?:\/\S*)?$/), detail: 'is a login at an address, but no URI' },
];

/** Whether it is a file with fields of its own: JSON or assigned variables. */
export function isFileText(text: string): boolean {
  const trimmed = text.trim();
  return isJsonText(trimmed) || isVariablesFile(trimmed);
}

/** What the text is instead of a password; undefined when it may be one. The text is no connection string that can be read. */
export function otherThanPassword(text: string): string | undefined {
  const trimmed = text.trim();
  return shapes.find((shape) => shape.test(trimmed))?.detail;
}

/** The same for a text that the name of its field calls a password: only what cannot be one. */
export function surelyNoPassword(text: string): string | undefined {
  const trimmed = text.trim();
  return shapes.find((shape) => shape.certain && shape.test(trimmed))?.detail;
}
