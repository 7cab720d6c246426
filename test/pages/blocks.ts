/** The shell blocks of the pages, in the order in which a person meets them. */
import { projectFiles } from '../tidy/files.ts';

export interface Block {
  readonly page: string;
  /** Position among the shell blocks of its page, from 1. */
  readonly number: number;
  /** Line of its first command. */
  readonly line: number;
  readonly text: string;
  /** Why no test runs it, as the page itself says in a comment before the block. */
  readonly notRun: string | undefined;
}

const fence = /^( *)```(\w*).*$/;
const reason = /^ *<!-- not run in tests: (.+) -->$/;

/** Shell blocks of one page. Blocks in lists lose the indentation of their fence. */
export function blocksOf(page: string, text: string): readonly Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = '', language] = fence.exec(lines[at] ?? '') ?? [];
    if (language === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === '```');
    if (end < 0) throw new Error(`${page}:${at + 1}: a block without an end`);
    if (language === 'sh') {
      const body = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
      const before = lines.slice(0, at).findLast((line) => line.trim() !== '') ?? '';
      const notRun = reason.exec(before)?.[1];
      blocks.push({ page, number: blocks.length + 1, line: at + 2, text: body.join('\n'), notRun });
    }
    at = end;
  }
  return blocks;
}

/** All pages that tell people what to type: README, CHANGELOG and everything below docs/, of decisions only what they quote. */
export function allBlocks(): readonly Block[] {
  return projectFiles()
    .filter(
      ({ path }) =>
        path.endsWith('.md') && (/^docs\//.test(path) || !path.includes('/') || path.startsWith('consumer/')),
    )
    .flatMap(({ path, text }) => blocksOf(path, text));
}

/** Exit codes that the page announces for the command on a line: "exits with 6", "exit code 3". Otherwise 0 is expected. */
export function announcedCode(line: string): number {
  const comment = /(?:^|\s)#\s(.*)$/.exec(line)?.[1] ?? '';
  const code = /\bexit(?:s with| code) (\d+)/.exec(comment)?.[1];
  return code === undefined ? 0 : Number(code);
}
