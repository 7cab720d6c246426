import { expect, test, vi } from 'vitest';
import { comparing } from '../../rotators/mysql/hashes.ts';
import { shaCrypt } from '../../rotators/mysql/sha-crypt.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';

// Watched, and working as ever.
vi.mock('../../rotators/mysql/sha-crypt.ts', { spy: true });

const salt = Buffer.from('twenty bytes of salt');

async function storedFormOf(password: string): Promise<Buffer> {
  const digest = await shaCrypt(Buffer.from(password), salt, 1_000);
  vi.mocked(shaCrypt).mockClear();
  return Buffer.concat([Buffer.from('$A$001$'), salt, Buffer.from(digest)]);
}

test('a password that is asked about twice is worked out once, also while the first answer is not there yet', async () => {
  const compare = comparing('caching_sha2_password', await storedFormOf('kept'));
  const answers = await Promise.all([compare(new SecretText('another')), compare(new SecretText('another'))]);
  expect([...answers, await compare(new SecretText('another'))]).toEqual(['other', 'other', 'other']);
  expect(shaCrypt).toHaveBeenCalledTimes(1);
});

test('no password is worked out once it is known which one the server keeps', async () => {
  const compare = comparing('caching_sha2_password', await storedFormOf('kept'));
  expect(await compare(new SecretText('kept'))).toBe('same');
  expect(await compare(new SecretText('another'))).toBe('other');
  expect(await compare(new SecretText('kept'))).toBe('same');
  expect(shaCrypt).toHaveBeenCalledTimes(1);
});

test('a stored form that cannot be read is so for every password', async () => {
  const compare = comparing('caching_sha2_password', Buffer.from('$Z$001$ and what follows it'));
  expect(await compare(new SecretText('kept'))).toBe('unreadable');
  expect(await compare(new SecretText('another'))).toBe('unreadable');
});
