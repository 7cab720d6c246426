/** Strings of JSON that hold the password in base64: `auth` of a Docker configuration, a Basic header, the data of a Kubernetes secret. */
import type { JsonString } from './json-scan.ts';
import { type Copy, encoded } from './reading.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Form {
  readonly text: string;
  readonly write: (username: string, password: string) => string;
}

function forms(username: string, password: string): readonly Form[] {
  const both = (user: string, pass: string): string => base64(`${user}:${pass}`);
  const header = (user: string, pass: string): string => `Basic ${both(user, pass)}`;
  return [
    { text: both(username, password), write: both },
    { text: header(username, password), write: header },
    { text: base64(password), write: (_, pass) => base64(pass) },
  ];
}

/** Less than this is base64 of something by chance. */
const shortest = 8;

/** The strings that are the password in base64 and nothing more, alone or behind its username. */
export function copiesOf(strings: readonly JsonString[], username: string, password: string): readonly Copy[] {
  const known = new Map(
    forms(username, password)
      .filter((form) => form.text.length >= shortest)
      .map((form) => [form.text, form]),
  );
  return strings.flatMap(({ start, end, value }): Copy[] => {
    const form = known.get(value);
    if (form === undefined) return [];
    const encode: Copy['encode'] = (user, pass) => encoded(form.write(user, pass));
    return [{ start: start + 1, end: end - 1, encode }];
  });
}
