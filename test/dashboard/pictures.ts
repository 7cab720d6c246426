/**
 * `npm run pictures`: the pictures of docs/dashboard.md, made in Chromium on a local stack with secrets in most states. `--to FOLDER`: elsewhere.
 * Nothing in them is anybody's: the names are made up, and no value of a secret is ever on a page.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { localApiKeys } from '../../local/api-keys.ts';
import { type LocalAzure, startLocalAzure } from '../../local/azure.ts';
import { createSamples } from '../../local/samples.ts';
import { open, startChromium, useKey } from './browser.ts';

const daySeconds = 86_400;

async function main(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const azure = await startLocalAzure({ settings: { KEYTURN_SWEEP_JITTER: 'PT0S' } });
  try {
    await populate(azure);
    const browser = await startChromium();
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await open(browser, azure.host.url, { colorScheme, viewport: { width: 1200, height: 760 } });
        await shoot(page, join(folder, `sign-in-${colorScheme}.png`), 'An API key');
        await useKey(page, localApiKeys.emergency);
        await shootAll(page, folder, colorScheme);
      }
      const phone = { width: 390, height: 780 };
      const { page } = await open(browser, azure.host.url, { colorScheme: 'dark', viewport: phone });
      await useKey(page, localApiKeys.emergency);
      await page.getByText('orders-db').first().waitFor();
      await shoot(page, join(folder, 'phone-dark.png'));
    } finally {
      await browser.close();
    }
  } finally {
    await azure.close();
  }
}

async function shootAll(page: Page, folder: string, theme: string): Promise<void> {
  const file = (name: string) => join(folder, `${name}-${theme}.png`);
  await page.getByText('billing-db').first().waitFor();
  await shoot(page, file('list'));
  await page.getByRole('link', { name: /orders-db/ }).click();
  await page.getByText('publish', { exact: true }).first().waitFor();
  await page.setViewportSize({ width: 1200, height: 1040 });
  await shoot(page, file('secret'));
  await page.getByRole('button', { name: 'Look what would happen' }).click();
  await page.locator('.checks').waitFor();
  await shoot(page, file('plan'));
  await page.setViewportSize({ width: 1200, height: 760 });
  await page.getByRole('button', { name: /^Emergency/ }).click();
  await shoot(page, file('emergency'));
  await page.keyboard.press('Escape');
  for (const [name, title] of [
    ['Calendar', 'The next'],
    ['Approvals', 'What waits'],
    ['Fleet', 'All is reached'],
  ] as const) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByText(title).first().waitFor();
    await shoot(page, file(name.toLowerCase()));
  }
}

async function shoot(page: Page, path: string, label?: string): Promise<void> {
  if (label !== undefined) await page.getByLabel(label).waitFor();
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
}

/** A vault as somebody on call finds it: most is well, some is not. */
async function populate({ vault, postgres, host }: LocalAzure): Promise<void> {
  if (postgres === undefined) throw new Error('the pictures need the database');
  await createSamples(vault, postgres, (secret) => (secret === 'orders-db' ? { consumers: 'shop-web,shop-jobs' } : {}));
  const now = vault.clock.nowSeconds();
  const put = (name: string, days: number, tags: Readonly<Record<string, string>>, contentType?: string) =>
    vault.put(name, {
      value: `made-up-value-of-${name}`,
      tags,
      expiresSeconds: now + days * daySeconds,
      ...(contentType === undefined ? {} : { contentType }),
    });
  for (const [name, days] of [
    ['session-signing', 45],
    ['webhook-partner', 62],
    ['cookie-encryption', 88],
    ['jwt-internal', 51],
    ['csrf-token', 73],
  ] as const)
    put(name, days, { rotator: 'self-issued', team: 'platform' });
  put('mail-relay', 12, { rotator: 'manual', owner: 'it-operations' });
  put('legacy-ftp', 31, {});
  put('shop-tls', 40, {}, 'application/x-pkcs12');
  put('search-cluster', 80, { rotator: 'redis', strategy: 'no-such-strategy', team: 'search' });
  const call = (path: string, body: object) =>
    fetch(`${host.url}/api/v1/vaults/local/secrets/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-keyturn-key': localApiKeys.emergency },
      body: JSON.stringify(body),
    });
  await call('orders-db/rotate?wait=true', { reason: 'moved to the new cluster' });
  await call('csrf-token/pause', { reason: 'the vendor is on it', until: 'P3D' });
  await failing('billing-db', { vault, host });
}

/** Its admin is refused, which a sweep finds out once it is due. */
async function failing(name: string, { vault, host }: Pick<LocalAzure, 'vault' | 'host'>): Promise<void> {
  const before = vault.versions(name).at(-1);
  if (before === undefined) throw new Error(`there is no ${name}`);
  const { value, tags = {} } = before;
  vault.put(name, { value, tags, expiresSeconds: vault.clock.nowSeconds() + 20 * daySeconds });
  await fetch(`${host.url}/admin/functions/sweep`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-functions-key': host.keys.master },
    body: '{}',
  });
  const address = `${host.url}/api/v1/secrets?state=failing&state=paused`;
  for (const headers = { 'x-keyturn-key': localApiKeys.reader }; ; await sleep(200)) {
    const answer = await fetch(address, { headers });
    if ((await answer.text()).includes(name)) return;
  }
}

const { values } = parseArgs({ options: { to: { type: 'string' } } });
await main(values.to ?? fileURLToPath(new URL('../../docs/pictures', import.meta.url)));
