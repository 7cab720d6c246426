import type { SecretText } from './secret-text.ts';

/** Stands in the place of a text that held a secret: what stands around a blank would tell how long it is, and a weak one could be guessed. */
const leftOut = '(left out, because it held a secret)';
const copied = ['code', 'errno', 'number', 'state', 'severity', 'sqlState', 'statusCode', 'syscall', 'address', 'port'];

/** What must not be seen: the values, and how they look inside URLs, JSON and Basic headers. */
export function formsOf(secrets: readonly SecretText[]): readonly string[] {
  const forms = secrets
    .map((secret) => secret.reveal())
    .filter((plain) => plain !== '')
    .flatMap((plain) => [
      plain,
      encodeURIComponent(plain.toWellFormed()),
      JSON.stringify(plain).slice(1, -1),
      Buffer.from(plain).toString('base64'),
    ]);
  return [...new Set(forms)];
}

/**
 * The same error when nothing of it holds a secret, so that `instanceof` and every property stay; else a copy of its name, message
 * and codes without them. Drivers hang commands and settings onto their errors: ioredis puts the arguments of AUTH there.
 */
export function withoutSecrets(error: unknown, secrets: readonly SecretText[]): unknown {
  const forms = formsOf(secrets);
  return holdsAny(error, forms) ? copyOf(error, forms) : error;
}

/** A copy of a foreign error with its name, message and codes alone: for logs, where a driver's whole state must not go. */
export function essence(error: unknown, secrets: readonly SecretText[]): Error {
  return copyOf(error, formsOf(secrets));
}

/** One line that says what went wrong, safe to print. */
export function wordsOf(error: unknown, secrets: readonly SecretText[]): string {
  const { message, name } = essence(error, secrets);
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return [code !== undefined && !message.includes(code) ? code : undefined, message === '' ? name : message]
    .filter((part) => part !== undefined)
    .join(': ');
}

function copyOf(error: unknown, forms: readonly string[]): Error {
  const clean = (text: string) => (forms.some((form) => text.includes(form)) ? leftOut : text);
  if (!(error instanceof Error)) return new Error(clean(String(error)));
  const copy = new Error(clean(error.message), error.cause === undefined ? {} : { cause: copyOf(error.cause, forms) });
  copy.name = error.name;
  for (const key of copied) {
    const value: unknown = Reflect.get(error, key);
    const plain = typeof value === 'string' ? clean(value) : value;
    if (typeof plain === 'string' || typeof plain === 'number') Object.assign(copy, { [key]: plain });
  }
  return copy;
}

// An error that leads to more than this is taken for one that holds a secret: a copy says enough of it.
const mostParts = 20_000;

function holdsAny(where: unknown, forms: readonly string[]): boolean {
  const seen = new Set<object>();
  const open: unknown[] = [where];
  while (open.length > 0) {
    const next = open.pop();
    if (seen.size > mostParts) return true;
    if (typeof next === 'string' && forms.some((form) => next.includes(form))) return true;
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    open.push(...parts(next));
  }
  return false;
}

function parts(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) {
    return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')];
  }
  const inner: unknown[] = value instanceof Map ? [...value.keys(), ...value.values()] : [];
  if (value instanceof Set) inner.push(...value);
  // Getters are left alone: they compute from what is looked at anyway, and one may throw.
  for (const key of Reflect.ownKeys(value)) inner.push(Reflect.getOwnPropertyDescriptor(value, key)?.value);
  return inner;
}
