/** What a provider shows of a key that it lists: its beginning, its end, and something for what is between. */
import type { SecretText } from '../../shared/contract/secret-text.ts';

const shape = /^([^*•.…]*)[*•.…]+([^*•.…]*)$/u;

/** Whether a key may be the one that is shown so. A mask of another form fits nothing. */
export function fitsMask(mask: string, key: SecretText): boolean {
  const parts = shape.exec(mask);
  if (parts === null) return false;
  const [, start = '', end = ''] = parts;
  const plain = key.reveal();
  return plain.length > start.length + end.length && plain.startsWith(start) && plain.endsWith(end);
}
