/** docs/deploy.md says what the templates and hooks take and make. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../tidy/files.ts';
import { ofType, predicted } from './resources.ts';

const read = (...path: readonly string[]) => readFileSync(join(root, ...path), 'utf8');
const page = read('docs', 'deploy.md');
const rows = (heading: string): readonly (readonly string[])[] => {
  const section = page.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
};

describe('the page of the deployment', () => {
  it('names every value that azd reads, with what holds without it', () => {
    const parameters = read('infra', 'main.bicepparam');
    const taken = [...parameters.matchAll(/readEnvironmentVariable\('(KEYTURN_\w+)', '([^']*)'\)/g)];
    expect(rows('What you can set').map(([, name]) => name)).toEqual(taken.map(([, name]) => name));
    for (const [, name, standard] of taken) {
      const [, , said] = rows('What you can set').find(([, one]) => one === name) ?? [];
      const free = standard === '' ? /^(?:none|made|made by the hook)$/ : undefined;
      if (free === undefined) expect(said, name).toBe(standard);
      else expect(said, name).toMatch(free);
    }
  });

  it('names every alert rule with its page, and no other', () => {
    const deployed = ['Microsoft.Insights/scheduledQueryRules', 'Microsoft.Insights/metricAlerts'].flatMap((type) =>
      ofType(predicted('open'), type).map(({ name, properties }) => {
        const rule = /^keyturn-[a-z0-9]{13}-(throttled|dead-letters|[a-z-]+)/.exec(name)?.[1] ?? name;
        const shown = /on-call\/([a-z-]+)\.md/.exec(String(properties['description']))?.[1];
        return `${rule.replace(/^(throttled|dead-letters)-.*$/, '$1')}: ${shown}`;
      }),
    );
    const said = rows('Alerts').map(([, rule, , link]) => `${rule}: ${/\[([a-z-]+)\]/.exec(link ?? '')?.[1]}`);
    expect(said.toSorted()).toEqual(deployed.toSorted());
  });

  it('says in one place what was never tried on Azure', () => {
    expect(page).toMatch(/^## Not tried on Azure$/m);
    expect(read('README.md')).toContain('docs/deploy.md#not-tried-on-azure');
  });

  it('calls only scripts and files that are there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const called = [...page.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script);
    expect(called.filter((script) => !(script in scripts))).toEqual([]);
    const linked = [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, file = '']) => join(root, 'docs', file));
    expect(linked.filter((file) => !existsSync(file))).toEqual([]);
  });
});
