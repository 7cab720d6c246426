/** Every shell block of the pages is typed as it stands there, against real servers, with an Azure CLI that keeps to its grammar. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allBlocks, announcedCode, type Block } from './blocks.ts';
import { given, givenKeys, type Scene } from './given.ts';
import { startWorld, type World } from './world.ts';

const blocks = allBlocks();
const pages = [...new Set(blocks.map(({ page }) => page))];

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world.close());

/** What went otherwise than the page says, in words. */
async function typed(block: Block, scene: Scene): Promise<readonly string[]> {
  const { text, line, page, number } = block;
  const ways = given(page, number);
  const end = await ways.before?.(scene);
  const { out, err, ended } = await scene.shell.run(text, ways.input?.(scene.target) ?? '');
  await end?.();
  const lines = text.split('\n');
  const wrong = ended
    .filter(({ line: at, code }) => !announced(lines, at).includes(code))
    .map(({ line: at, code }) => `${page}:${line + at - 1} ended with ${code}`);
  const said = /command not found|unrecognized|unknown option|syntax error|Usage:|\bERR |\bMsg \d+/i.exec(
    `${out}${err}`,
  )?.[0];
  const problems = [...wrong, ...(said === undefined ? [] : [`${page}:${line}: ${said}`])];
  return problems.length === 0 ? [] : [...problems, out, err];
}

/** Codes that the command around this line announces. */
function announced(lines: readonly string[], at: number): readonly number[] {
  let end = at - 1;
  while (lines[end]?.endsWith('\\') === true) end += 1;
  return lines.slice(at - 1, end + 1).map(announcedCode);
}

describe('the blocks', () => {
  it('are found on all the pages for people', () => {
    expect(blocks.length).toBeGreaterThan(130);
    expect(pages.filter((page) => page.startsWith('docs/on-call/')).length).toBeGreaterThan(7);
  });

  it('are the only ones that circumstances are given for', () => {
    const known = new Set(blocks.flatMap(({ page, number }) => [`${page}#${number}`, `${page}#0`]));
    expect(givenKeys.filter((key) => !known.has(key))).toEqual([]);
  });
});

const run = blocks.filter((block) => block.notRun === undefined);

describe.each([...new Set(run.map(({ page }) => page))])('%s', (page) => {
  const own = run.filter((block) => block.page === page);
  it('runs as it is written', { timeout: 120_000 }, async () => {
    const { target: kind = 'postgres', others = [], reset } = given(page, 0);
    const shell = await world.shell([...others, kind]);
    const target = await world.target(kind);
    await world.reset(target, reset);
    const wrong: string[] = [];
    try {
      for (const block of own) wrong.push(...(await typed(block, { world, shell, target })));
    } finally {
      await shell.close();
    }
    expect(wrong).toEqual([]);
  });
});
