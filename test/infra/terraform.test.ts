/**
 * The example for Terraform, which nothing here can run: it parses, knows no attribute that the provider does not, and says the same as the
 * templates. What is checked against `azurerm` are the names in azurerm.json.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { settingTable } from '../../shared/config/setting-table.ts';
import { root } from '../tidy/files.ts';
import { at, ofType, predicted } from './resources.ts';

type Parse = (file: string, text: string) => Promise<unknown>;
// Its types bring those of a browser along, which differ from Node's.
const { parse } = z
  .object({ parse: z.custom<Parse>((value) => typeof value === 'function') })
  .parse(createRequire(import.meta.url)('@cdktn/hcl2json'));

const folder = join(root, 'infra', 'terraform');
const read = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8');

const body = z.record(z.string(), z.unknown());
const blocks = z.record(z.string(), z.record(z.string(), z.array(body)));
const parsed = z.object({ resource: blocks.optional(), data: blocks.optional() });
type Block = z.infer<typeof body>;

/** Attributes and nested blocks of resources and data sources, from the package @cdktf/provider-azurerm 14.23.1. */
const known = z
  .object({ resource: z.record(z.string(), z.array(z.string())), data: z.record(z.string(), z.array(z.string())) })
  .parse(JSON.parse(read(root, 'test', 'infra', 'azurerm.json')));

const found: { kind: 'resource' | 'data'; type: string; name: string; block: Block }[] = [];
beforeAll(async () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tf'))) {
    const { resource = {}, data = {} } = parsed.parse(await parse(file, read(folder, file)));
    for (const [kind, types] of [
      ['resource', resource],
      ['data', data],
    ] as const)
      for (const [type, names] of Object.entries(types))
        for (const [name, list] of Object.entries(names))
          for (const block of list) found.push({ kind, type, name, block });
  }
});

const azapi = (name: string): Block => {
  const one = found.find(({ type, name: given }) => type === 'azapi_resource' && given === name);
  if (one === undefined) throw new Error(`no azapi_resource ${name}`);
  return one.block;
};

/** What any resource of Terraform takes. */
const everywhere = ['depends_on', 'for_each', 'count', 'lifecycle', 'provider'];

it('every file parses, and holds what the app needs', () => {
  expect(found.length).toBeGreaterThan(20);
});

it('names no resource, data source or attribute that azurerm does not have', () => {
  const unknown = found
    .filter(({ type }) => type.startsWith('azurerm_'))
    .flatMap(({ kind, type, name, block }) => {
      const attributes = known[kind][type];
      if (attributes === undefined) return [`${kind} ${type}`];
      return Object.keys(block)
        .filter((one) => !attributes.includes(one) && !everywhere.includes(one))
        .map((one) => `${type}.${name}: ${one}`);
    });
  expect(unknown).toEqual([]);
});

it('gives azapi the types and API versions of the templates', () => {
  const templates = new Set(predicted('open').map(({ type, apiVersion }) => `${type}@${apiVersion}`.toLowerCase()));
  const used = found.filter(({ type }) => type === 'azapi_resource').map(({ block }) => String(block['type']));
  expect(used.filter((one) => !templates.has(one.toLowerCase()))).toEqual([]);
});

it('gives the app the settings of the templates, and none that Keyturn does not know', () => {
  const text = read(folder, 'main.tf');
  const block = /properties = merge\(\{([\s\S]*?)\n {4}\}, var\.settings\)/.exec(text)?.[1] ?? '';
  const names = [...block.matchAll(/^\s*(\w+)\s*=/gm)].map(([, name = '']) => name);
  const config = ofType(predicted('open'), 'Microsoft.Web/sites/config').find(({ name }) =>
    name.endsWith('appsettings'),
  );
  const signIn = ['KEYTURN_TENANT_ID', 'KEYTURN_API_AUDIENCE'];
  expect(names.toSorted()).toEqual(
    Object.keys(config?.properties ?? {})
      .filter((name) => !signIn.includes(name))
      .toSorted(),
  );
  const own = names.filter((name) => name.startsWith('KEYTURN_'));
  expect(own.filter((name) => !(name in settingTable))).toEqual([]);
});

it('subscribes to the events of the templates, and delivers them in the same way', () => {
  const [subscription] = ofType(predicted('open'), 'Microsoft.EventGrid/systemTopics/eventSubscriptions').filter(
    ({ name }) => !name.endsWith('-expired'),
  );
  const properties = at(azapi('events')['body'], 'properties');
  for (const path of [
    ['filter'],
    ['retryPolicy'],
    ['eventDeliverySchema'],
    ['deliveryWithResourceIdentity', 'identity'],
    ['deliveryWithResourceIdentity', 'destination', 'endpointType'],
    ['deadLetterWithResourceIdentity', 'deadLetterDestination', 'endpointType'],
  ])
    expect(at(properties, ...path), path.join('.')).toEqual(at(subscription?.properties, ...path));
});

it('gives the rights of the templates, and no other', () => {
  const rights = read(folder, 'rights.tf');
  const ids = (text: string) =>
    new Set(text.match(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g));
  const modules = ['storage', 'monitoring', 'event-rights'].map((name) =>
    read(root, 'infra', 'modules', `${name}.bicep`),
  );
  expect(ids(rights)).toEqual(ids(modules.join('\n')));
  const actions = (text: string) => text.match(/Microsoft\.KeyVault\/vaults\/secrets\/\w+\/action/g);
  expect(actions(rights)).toEqual(actions(read(root, 'infra', 'modules', 'vault-role.bicep')));
});

it('says that no Terraform has seen it', () => {
  expect(read(folder, 'README.md')).toMatch(/\*\*Untried\.\*\*/);
});
