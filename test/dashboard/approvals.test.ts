/** A second person, signed in by the platform: the page leads there by itself, comes back, shows the request and sends the approval. */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, startBackend, tenant, textOf } from '../api/backend.ts';
import { axeFindings, startChromium } from './browser.ts';

let backend: Backend;
let browser: Browser;
beforeAll(async () => {
  const settings = {
    KEYTURN_APPROVALS: 'emergency',
    WEBSITE_AUTH_ENABLED: 'True',
    WEBSITE_HOSTNAME: 'keyturn-app.azurewebsites.net',
  };
  [backend, browser] = await Promise.all([startBackend(settings), startChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await backend?.close();
});

const person = (number: number) => `aaaaaaaa-0000-0000-0000-00000000000${number}`;

/** What the platform says of somebody, in the header that it sets. */
function principal(number: number, name: string): string {
  const claims = [
    { typ: 'oid', val: person(number) },
    { typ: 'tid', val: tenant },
    { typ: 'preferred_username', val: name },
    { typ: 'roles', val: 'Keyturn.Emergency' },
    { typ: 'scp', val: 'access' },
  ];
  return Buffer.from(JSON.stringify({ auth_typ: 'aad', claims })).toString('base64');
}

/** In place of the platform: its sign-in page knows who it is and leads back, and from then on each request to the app says who calls. */
async function signInAs(context: BrowserContext, number: number, name: string): Promise<void> {
  let isSignedIn = false;
  await context.route('**/.auth/login/aad**', async (route) => {
    isSignedIn = true;
    const back = new URL(route.request().url()).searchParams.get('post_login_redirect_uri') ?? '/';
    await route.fulfill({ status: 302, headers: { location: back } });
  });
  await context.route('**/api/v1/**', async (route) => {
    const named = isSignedIn ? { 'x-ms-client-principal': principal(number, name) } : {};
    await route.continue({ headers: { ...route.request().headers(), ...named } });
  });
}

test('the link of a request leads through the sign-in and back, and one approval starts one rotation', async () => {
  const { stage } = backend;
  await stage.plant('leaked-db', { days: 80 });
  const authorization = `Bearer ${await backend.login.token({ oid: person(1), preferred_username: 'ann' })}`;
  const reason = 'posted in ticket 4711';
  const asked = await backend.call('POST', '/vaults/local/secrets/leaked-db/emergency', {
    ...{ as: null, headers: { authorization }, body: { reason } },
  });
  const id = textOf(asked, 'rotationId');
  const context = await browser.newContext();
  await signInAs(context, 2, 'ben');
  const page = await context.newPage();
  await page.goto(`${stage.azure.host.url}/approvals/${id}`);
  await page.getByText(reason, { exact: true }).waitFor();
  expect(page.url()).toBe(`${stage.azure.host.url}/approvals/${id}`);
  expect(await axeFindings(page)).toEqual([]);
  expect(stage.vault.versions('leaked-db')).toHaveLength(1);
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Approved by ben').waitFor();
  await stage.said('rotated', 'leaked-db');
  expect(stage.vault.versions('leaked-db')).toHaveLength(2);
  await page.getByRole('link', { name: 'leaked-db' }).click();
  await page
    .getByText(/approved by ben/)
    .first()
    .waitFor();
});

test('whoever asked is told that another person has to approve', async () => {
  const { stage } = backend;
  await stage.plant('other-db', { days: 80 });
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-ms-client-principal': principal(3, 'cem') } });
  const page = await context.newPage();
  await page.goto(`${stage.azure.host.url}/secrets/local/other-db`);
  await page.getByRole('button', { name: /^Emergency/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('seen in a log');
  await dialog.getByLabel('Type other-db to confirm').fill('other-db');
  await dialog.getByRole('button', { name: 'Emergency', exact: true }).click();
  await dialog.getByText('It waits for a second person.').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('link', { name: /^Approvals/ }).click();
  await page.getByRole('article').filter({ hasText: 'other-db' }).getByRole('button', { name: 'Approve' }).click();
  await page.getByText('the person who asked cannot approve it').waitFor();
  expect(stage.vault.versions('other-db')).toHaveLength(1);
});

test('whoever comes back from the sign-in without one is not sent there again and again', async () => {
  const context = await browser.newContext();
  let visits = 0;
  await context.route('**/.auth/login/aad**', async (route) => {
    visits += 1;
    await route.fulfill({ status: 302, headers: { location: '/fleet' } });
  });
  const page = await context.newPage();
  await page.goto(`${backend.stage.azure.host.url}/fleet`);
  const link = page.getByRole('link', { name: 'Sign in with Microsoft' });
  await link.waitFor();
  expect(await link.getAttribute('href')).toBe('/.auth/login/aad?post_login_redirect_uri=%2Ffleet');
  expect(visits).toBe(1);
});
