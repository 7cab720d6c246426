/** Pages of the docs in messages: links where the address of the docs is known, and paths where it is not. */
import { describe, expect, it } from 'vitest';
import { failure } from '../shared/errors.ts';
import { withLinks, withLinksInside } from '../shared/links.ts';
import { linking } from '../shared/notify/linking.ts';
import { rotatedNotice } from './notify/world.ts';

const docs = 'https://git.contoso.com/ops/keyturn/src/';
const shared = failure('login-shared', { secret: 'a', login: 'b', others: 'c' });

describe('a page in a message', () => {
  it.each([
    ['See docs/errors/admin-refused.md', `See ${docs}docs/errors/admin-refused.md`],
    ['docs/api.md#not-now', `${docs}docs/api.md#not-now`],
    ['(docs/other-writers.md), then', `(${docs}docs/other-writers.md), then`],
    [`${docs}docs/tags.md`, `${docs}docs/tags.md`],
    ['my-docs/tags.md and /docs/tags.md and docs/../x.md', 'my-docs/tags.md and /docs/tags.md and docs/../x.md'],
  ])('%j is %j', (text, link) => {
    expect(withLinks(text, docs)).toBe(link);
    expect(withLinks(text, '')).toBe(text);
  });

  it('is a link in every field for people of an answer, and never in a tag', () => {
    const { code, message, hint, page } = shared;
    const body = {
      secrets: [{ tags: { page: 'x', note: 'docs/tags.md' }, trouble: { last: { code, message, hint, page } } }],
    };
    const text = JSON.stringify(withLinksInside(body, docs));
    expect(text).toContain(`"page":"${docs}${page}"`);
    expect(text).toContain(`${docs}docs/errors/login-shared.md says how`);
    expect(text).toContain('"note":"docs/tags.md"');
    expect(withLinksInside(body, '')).toBe(body);
  });

  it('is a link in what a channel is told', async () => {
    const told: unknown[] = [];
    const sender = {
      send: async (notice: unknown) => {
        told.push(notice);
        return { kind: 'delivered' as const };
      },
    };
    const { code, message, hint, page } = shared;
    const notice = rotatedNotice({
      type: 'failed',
      failure: { code, message, hint, page },
      warnings: ['see docs/copies.md'],
    });
    await linking(sender, docs).send(notice, AbortSignal.timeout(1_000));
    await linking(sender, '').send(notice, AbortSignal.timeout(1_000));
    expect(told[0]).toMatchObject({ failure: { page: `${docs}${page}` }, warnings: [`see ${docs}docs/copies.md`] });
    expect(told[1]).toEqual(notice);
  });
});
