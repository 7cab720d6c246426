/** A real Chromium without a window, and the pages of the dashboard in it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import * as z from 'zod';
import { programFolders } from '../../local/programs.ts';

/** Debian's. Rejects where there is none. */
export async function startChromium(): Promise<Browser> {
  const executablePath = programFolders()
    .map((folder) => join(folder, 'chromium'))
    .find(existsSync);
  if (executablePath === undefined) throw new Error('there is no chromium on the path');
  // Root may not use the sandbox, and the only pages opened are those of this project.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args });
}

export interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser refused or the page threw: nothing, as long as all is well. */
  readonly complaints: readonly string[];
  /** Every address that the page asked for. */
  readonly asked: readonly string[];
}

const patienceMs = 20_000;

/** A browser profile of its own with one page, at the address. */
export async function open(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refusal of the API is told to the person, and the browser writes a line of its own about it.
    if (message.type() === 'error' && !/the server responded with a status/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(address);
  return { context, page, complaints, asked };
}

/** Signs in with a key, by hand. */
export async function useKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('An API key').fill(key);
  await page.getByRole('button', { name: 'Use the key' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const violations = z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }));

/** What axe finds against WCAG 2.2 AA on the page as it is, and the element it is about. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // The policy of the page forbids it any script but its own; this one comes from the debugger.
  const client = await page.context().newCDPSession(page);
  const { readFile } = await import('node:fs/promises');
  const source = await readFile(axeFile, 'utf8');
  await client.send('Runtime.evaluate', { expression: source });
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const expression = `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then(({ violations }) => violations)`;
  const { result } = await client.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  await client.detach();
  return violations.parse(result.value).flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
