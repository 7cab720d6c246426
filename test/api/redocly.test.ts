/** What Redocly's linter says of the description, with the rules it recommends: no error and no warning. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describe, expect, it } from 'vitest';
import { documentText } from '../../local/describe-api.ts';

async function problemsOf(source: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
  return problems.map(
    ({ severity, ruleId, message, location }) => `${severity} ${ruleId} ${location[0]?.pointer}: ${message}`,
  );
}

describe('the OpenAPI description', () => {
  it('has no error and no warning of Redocly’s recommended rules', async () => {
    expect(await problemsOf(await documentText())).toEqual([]);
  });

  it('would be refused without what those rules look at', async () => {
    const text = await documentText();
    const spoilt = text
      .replaceAll('"4XX"', '"x-none"')
      .replace('"operationId": "getHealth"', '"operationId": "listSecrets"');
    const problems = (await problemsOf(spoilt)).join('\n');
    expect(problems).toContain('operation-4xx-response');
    expect(problems).toContain('operation-operationId-unique');
  });
});
