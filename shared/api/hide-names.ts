/** Messages that name several secrets, as somebody may read them whose role reaches only some. */
import type { Place } from './caller.ts';

/** How the failure `login-shared` names secrets: in full, one after the other. */
const listed = /(?<= is also used by )[\w-]+\/[\w-]+(?:, [\w-]+\/[\w-]+)*/g;

/** The same body with secrets counted that `sees` does not allow. Pure. */
export function withoutHidden(body: unknown, sees: (place: Place) => boolean): unknown {
  if (typeof body === 'string') return body.replace(listed, (names) => shown(names.split(', '), sees));
  if (Array.isArray(body)) return body.map((one) => withoutHidden(one, sees));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, withoutHidden(value, sees)]));
}

function shown(names: readonly string[], sees: (place: Place) => boolean): string {
  const seen = names.filter((name) => {
    const [vault = '', secret = ''] = name.split('/');
    return sees({ vault, secret });
  });
  const hidden = names.length - seen.length;
  if (hidden === 0) return names.join(', ');
  const rest = `${hidden} ${hidden === 1 ? 'secret' : 'secrets'} that your role does not reach`;
  return [...seen, rest].join(', ');
}
