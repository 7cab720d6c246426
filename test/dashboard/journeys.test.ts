/** What somebody on call does with the dashboard, in a real browser on the local stack. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Backend, keyOf, startBackend } from '../api/backend.ts';
import { findSecrets } from '../canary.ts';
import { axeFindings, type Opened, open, startChromium, useKey } from './browser.ts';

let backend: Backend;
let browser: Browser;
const opened: Opened[] = [];

beforeAll(async () => {
  [backend, browser] = await Promise.all([startBackend({ KEYTURN_APPROVALS: 'force' }), startChromium()]);
  const { stage } = backend;
  await stage.plant('orders-db', { days: 80 });
  await stage.plant('reports-db', { days: 80, tags: { team: 'data' } });
  await stage.plant('drawn-out', { days: 80, tags: { consumers: 'orders-app,billing-app' } });
  stage.put('wrong-tags', stage.url('nobody', stage.secret('wrong')), { tags: { strategy: 'no-such-strategy' } });
  const hostile = '"><img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
  stage.put('hostile', stage.url('nobody', stage.secret('hostile')), {
    tags: { note: hostile, '<b>name</b>': 'javascript:alert(1)', owner: hostile },
    days: 80,
  });
});
afterAll(async () => {
  await browser?.close();
  await backend?.close();
});

async function signedIn(path: string, as: 'reader' | 'operator' | 'emergency' = 'emergency'): Promise<Page> {
  const one = await open(browser, `${backend.stage.azure.host.url}${path}`);
  opened.push(one);
  await useKey(one.page, keyOf(as));
  return one.page;
}

const secretPage = (name: string) => `/secrets/local/${name}`;
const row = (page: Page, name: string) => page.getByRole('listitem').filter({ hasText: name });

async function confirm(
  page: Page,
  action: string | RegExp,
  button: string,
  more?: (dialog: ReturnType<Page['getByRole']>) => Promise<unknown>,
) {
  await page.getByRole('button', { name: action }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('asked for in a test');
  await more?.(dialog);
  await dialog.getByRole('button', { name: button, exact: true }).click();
  return dialog;
}

describe('whoever is not signed in', () => {
  test('sees a page that knows nothing of any vault, and nothing is loaded from elsewhere', async () => {
    const { url } = backend.stage.azure.host;
    const one = await open(browser, `${url}${secretPage('orders-db')}`);
    opened.push(one);
    await one.page.getByLabel('An API key').waitFor();
    expect(await one.page.locator('body').textContent()).not.toContain('orders');
    expect(one.asked.filter((address) => !address.startsWith(`${url}/`))).toEqual([]);
    expect(await one.page.getByRole('link', { name: 'Sign in with Microsoft' }).count()).toBe(0);
    await one.page.getByLabel('An API key').fill('a key that nobody has given to anybody at all');
    await one.page.getByRole('button', { name: 'Use the key' }).click();
    await one.page.getByText('Not signed in: the key is unknown').waitFor();
  });

  test('keeps the key in memory alone: a reload forgets it, and no storage of the browser has it', async () => {
    const page = await signedIn('/');
    const kept = await page.evaluate(
      'JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])',
    );
    expect(String(kept)).not.toContain(keyOf('emergency'));
    expect(page.url()).not.toContain(keyOf('emergency'));
    await page.reload();
    await page.getByLabel('An API key').waitFor();
  });
});

describe('the list', () => {
  test('shows what needs a person first, and a filter stands in the address and comes back from it', async () => {
    const page = await signedIn('/');
    await row(page, 'orders-db').waitFor();
    const names = await page.locator('.secrets b').allInnerTexts();
    expect(names.indexOf('wrong-tags')).toBeLessThan(names.indexOf('orders-db'));
    await page.getByLabel('Tag').fill('team=data');
    await expect.poll(() => page.locator('.secrets b').allInnerTexts()).toEqual(['reports-db']);
    expect(new URL(page.url()).searchParams.get('tag')).toBe('team=data');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page
      .getByRole('button', { name: /^. Invalid/ })
      .or(page.getByRole('button', { name: /Invalid/ }))
      .first()
      .click();
    expect(new URL(page.url()).searchParams.getAll('state')).toEqual(['invalid']);
    await row(page, 'wrong-tags').getByRole('link').click();
    await page.getByRole('heading', { name: 'wrong-tags' }).waitFor();
    await page.goBack();
    await expect.poll(() => page.locator('.secrets b').allInnerTexts()).toEqual(['wrong-tags']);
  });

  test('is gone through with the keyboard alone, from the address to a plan', async () => {
    const page = await signedIn('/');
    await row(page, 'reports-db').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('reports');
    await expect.poll(() => page.locator('.secrets b').allInnerTexts()).toEqual(['reports-db']);
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab');
      if (await page.locator('.secrets a:focus').count()) break;
    }
    await page.keyboard.press('End');
    const last = (await page.locator('.secrets a:focus b').textContent()) ?? '';
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: last, level: 1 }).waitFor();
    await expect.poll(() => page.locator('h1:focus').count()).toBe(1);
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab');
      if (await page.locator('button:focus', { hasText: 'Look what would happen' }).count()) break;
    }
    await page.keyboard.press('Enter');
    await page.getByText('It would rotate:').waitFor();
  });

  test('gets what changed elsewhere without being loaded again', async () => {
    const page = await signedIn('/');
    await row(page, 'orders-db').waitFor();
    await backend.call('PUT', '/freeze', { body: { frozen: true, reason: 'release day' } });
    // As after a while: somebody comes back to the tab.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.getByText('release day').waitFor();
    await backend.call('PUT', '/freeze', { body: { frozen: false, reason: 'release is out' } });
  });
});

describe('one secret', () => {
  test('is planned, rotated step by step, and its timeline says who asked and why', async () => {
    const page = await signedIn(secretPage('orders-db'));
    await page.getByRole('button', { name: 'Look what would happen' }).click();
    await page.getByText('It would rotate:').waitFor();
    expect(await page.locator('.checks li').count()).toBeGreaterThan(2);
    const dialog = await confirm(page, 'Rotate now', 'Rotate now');
    await dialog.getByText('Done: the new version is current and proven.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.locator('.heading').getByText('Overlap').waitFor();
    const newest = page.locator('.timeline > li').first();
    await expect.poll(() => newest.textContent()).toContain('asked for in a test');
    expect(await newest.textContent()).toContain('key:emergency');
    expect(await newest.textContent()).toContain('publish');
    expect(backend.stage.vault.versions('orders-db')).toHaveLength(2);
  });

  test('that is in its overlap says who is waited for, and its old credential ends when somebody says so', async () => {
    const page = await signedIn(secretPage('drawn-out'));
    const rotating = await confirm(page, 'Rotate now', 'Rotate now');
    await rotating.getByText('Done:').waitFor();
    await rotating.getByRole('button', { name: 'Close' }).click();
    await page.getByText('billing-app has not acknowledged').waitFor();
    const dialog = await confirm(page, 'Retire the old credential', 'Retire the old credential');
    await expect.poll(() => dialog.textContent()).toMatch(/still on it: .*billing-app|dead and proven refused/);
  });

  test('is paused and resumed, with who and why in its timeline', async () => {
    const page = await signedIn(secretPage('reports-db'));
    const pausing = await confirm(page, /^Pause/, 'Pause', (dialog) =>
      dialog.getByLabel('For how long').selectOption('P3D'),
    );
    await pausing.getByText('Paused until').waitFor();
    await pausing.getByRole('button', { name: 'Close' }).click();
    await page.locator('.heading').getByText('Paused').waitFor();
    const resuming = await confirm(page, 'Resume', 'Resume');
    await resuming.getByText('Resumed.').waitFor();
    await resuming.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => page.locator('.heading').textContent()).not.toContain('Paused');
    await expect.poll(() => page.locator('.timeline').textContent()).toContain('Resumed');
  });

  test('is rolled back to the version that somebody chooses', async () => {
    const page = await signedIn(secretPage('orders-db'));
    const dialog = await confirm(page, /^Roll back/, 'Roll back');
    await dialog.getByText(/Done:|It failed|Left as it is/).waitFor();
    expect(await dialog.textContent()).toContain('Done:');
  });

  test('is replaced in an emergency only after its name was typed', async () => {
    const { stage } = backend;
    await stage.plant('leaked-db', { days: 80 });
    const page = await signedIn(secretPage('leaked-db'));
    await page.getByRole('button', { name: /^Emergency/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('posted in a chat');
    const button = dialog.getByRole('button', { name: 'Emergency', exact: true });
    await dialog.getByLabel('Type leaked-db to confirm').fill('leaked');
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type leaked-db to confirm').fill('leaked-db');
    await button.click();
    await dialog.getByText('Done:').waitFor();
    expect(stage.vault.versions('leaked-db')).toHaveLength(2);
  });

  test('offers a reader nothing that the reader may not do', async () => {
    const page = await signedIn(secretPage('reports-db'), 'reader');
    expect(await page.getByRole('button', { name: 'Rotate now' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: /^Emergency/ }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Freeze all' }).count()).toBe(0);
  });

  test('with a hostile name, value and owner in its tags is shown as text', async () => {
    const page = await signedIn(secretPage('hostile'));
    await page.getByText('<b>name</b>=javascript:alert(1)').waitFor();
    expect(await page.locator('.tags').textContent()).toContain('<script>');
    expect(await page.title()).toBe('hostile · Keyturn');
    expect(await page.locator('img').count()).toBe(0);
    await page.goto(`${backend.stage.azure.host.url}/?q=%3Cscript%3E`);
    await useKey(page, keyOf('reader'));
    await row(page, 'hostile').waitFor();
    expect(await page.title()).toBe('Secrets · Keyturn');
  });
});

test('a freeze is set with its reason, seen on every page, and ended', async () => {
  const page = await signedIn('/fleet');
  const freezing = await confirm(page, 'Freeze all', 'Freeze all');
  await freezing.waitFor({ state: 'detached' });
  await page.getByText('Nothing rotates by itself.').waitFor();
  await page.getByRole('link', { name: 'Calendar' }).click();
  expect(await page.getByLabel('Status').textContent()).toContain('asked for in a test');
  await confirm(page, 'Unfreeze', 'Unfreeze');
  await page.getByText('Automatic rotations are on.').waitFor();
});

test('the fleet page says that vault, storage and queues are reached, and the calendar what rotates when', async () => {
  const page = await signedIn('/fleet');
  await page.getByText('All is reached.').waitFor();
  expect(await page.locator('.queues li').allInnerTexts()).toHaveLength(Object.keys(queueNames).length);
  await page.getByRole('link', { name: 'Calendar' }).click();
  await page.getByRole('link', { name: 'reports-db' }).first().waitFor();
});

test.each(['light', 'dark'] as const)(
  'axe finds nothing on any page in the %s theme, wide or on a phone',
  async (colorScheme) => {
    const address = backend.stage.azure.host.url;
    const one = await open(browser, address, { colorScheme });
    opened.push(one);
    const { page } = one;
    const found: string[] = [];
    const look = async (where: string) => {
      // Colours are the same at every width.
      for (const width of colorScheme === 'light' ? [1280, 390] : [1280]) {
        await page.setViewportSize({ width, height: 844 });
        found.push(...(await axeFindings(page)).map((finding) => `${where}, ${width}: ${finding}`));
        const wide = await page.evaluate('document.documentElement.scrollWidth');
        if (Number(wide) > width) found.push(`${where}, ${width}: scrolls sideways, ${wide} wide`);
      }
      await page.setViewportSize({ width: 1280, height: 844 });
    };
    await page.getByLabel('An API key').waitFor();
    await look('sign in');
    await useKey(page, keyOf('emergency'));
    await row(page, 'orders-db').waitFor();
    await look('list');
    for (const name of ['Calendar', 'Approvals', 'Fleet']) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.locator('main [aria-busy]').waitFor({ state: 'detached' });
      await look(name);
    }
    await page.getByRole('link', { name: 'Secrets', exact: true }).click();
    await row(page, 'orders-db').getByRole('link').click();
    await page.getByRole('button', { name: 'Look what would happen' }).click();
    await page.locator('.checks').waitFor();
    await page.locator('.steps').first().waitFor();
    await look('one secret');
    await page.getByRole('button', { name: /^Emergency/ }).click();
    await look('dialog');
    expect(found).toEqual([]);
  },
);

describe('approvals', () => {
  test('a key sees what waits and cannot approve it', async () => {
    await backend.call('POST', '/vaults/local/secrets/reports-db/rotate', {
      body: { reason: 'no login left', force: true },
    });
    const page = await signedIn('/approvals');
    await page.getByText('no login left', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await page.getByText('A key can ask and never approve.').waitFor();
  });
});

test('nothing that was secret was on any page, and the browser refused nothing and reported no error', async () => {
  const texts = await Promise.all(opened.map(({ page }) => page.content()));
  const canaries = backend.stage.canaries();
  expect(canaries.length).toBeGreaterThan(3);
  expect(findSecrets(texts, canaries)).toEqual([]);
  expect(opened.flatMap(({ complaints }) => complaints)).toEqual([]);
});
