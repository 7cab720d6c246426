/** The page and the API come from one build, and the page takes what the API says. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import * as shapes from '../../dashboard/model/shapes.ts';
import { describedRoutes } from '../../local/describe-api.ts';
import { secretStates } from '../../shared/engine/sweep/standing.ts';

const { routes } = await describedRoutes();
const schemaOf = (path: string, method = 'GET', status = 200) => {
  const route = routes.find((one) => one.path === path && one.method === method);
  const schema = route?.answers[status]?.schema;
  if (schema === undefined) throw new Error(`no answer ${status} of ${method} ${path}`);
  return schema;
};

type Json = z.core.JSONSchema.BaseSchema;
const jsonOf = (schema: z.core.$ZodType) =>
  z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any', reused: 'inline' });

/** Where the page asks for something that the API does not promise. */
function unmet(asked: Json, given: Json, root: Json, at: string): string[] {
  const resolved = given.$ref === undefined ? given : (root.$defs?.[given.$ref.replace('#/$defs/', '')] ?? given);
  if (resolved !== given) return unmet(asked, asIs(resolved), root, at);
  if (asked.anyOf !== undefined || asked.oneOf !== undefined) return [];
  const own = Object.entries(asked.properties ?? {}).flatMap(([name, property]) => {
    const of = given.properties?.[name];
    if (of === undefined) return [`${at}.${name}: not there`];
    const isNeeded = asked.required?.includes(name) === true && given.required?.includes(name) !== true;
    return [
      ...(isNeeded ? [`${at}.${name}: may be absent`] : []),
      ...unmet(asIs(property), asIs(of), root, `${at}.${name}`),
    ];
  });
  const items =
    asked.items === undefined || given.items === undefined
      ? []
      : unmet(asIs(one(asked.items)), asIs(one(given.items)), root, `${at}[]`);
  const values =
    asked.enum === undefined
      ? []
      : (given.enum ?? [given.const]).filter((value) => !asked.enum?.includes(value ?? null));
  return [...own, ...items, ...values.map((value) => `${at}: ${String(value)} is not known`)];
}
const asIs = (schema: Json | boolean): Json => (typeof schema === 'boolean' ? {} : schema);
const one = (items: Json['items']): Json | boolean => (Array.isArray(items) ? (items[0] ?? {}) : (items ?? {}));

const place = '/vaults/{vault}/secrets/{secret}';

test.each([
  ['/me', shapes.me, schemaOf('/me')],
  ['one secret', shapes.secret, schemaOf(place)],
  ['its history', shapes.history, schemaOf(`${place}/history`)],
  ['a plan', shapes.plan, schemaOf(`${place}/plan`)],
  ['a rotation', shapes.rotation, schemaOf('/rotations/{rotationId}')],
  ['a retirement', shapes.retired, schemaOf(`${place}/retire`, 'POST')],
  ['a pause', shapes.paused, schemaOf(`${place}/pause`, 'POST')],
  ['a resume', shapes.resumed, schemaOf(`${place}/resume`, 'POST')],
  ['approvals', shapes.approvals, schemaOf('/approvals')],
  ['the freeze', shapes.freeze, schemaOf('/freeze')],
  ['health', shapes.health, schemaOf('/health/details')],
])('the page asks nothing of %s that the API does not answer', (_, asked, given) => {
  const promised = jsonOf(given);
  expect(unmet(jsonOf(asked), promised, promised, '')).toEqual([]);
});

test('the page knows each line of the overview', () => {
  const [asked, given] = [jsonOf(shapes.overviewLine), jsonOf(schemaOf('/overview'))];
  const kinds = (schema: Json) =>
    (schema.anyOf ?? schema.oneOf ?? []).map((option) => ({
      kind: asIs(asIs(option).properties?.['kind'] ?? {}).const,
      option: asIs(option),
    }));
  expect(kinds(asked).map(({ kind }) => kind)).toEqual(kinds(given).map(({ kind }) => kind));
  for (const [index, { option }] of kinds(asked).entries())
    expect(unmet(option, kinds(given)[index]?.option ?? {}, given, `line ${index}`)).toEqual([]);
});

test('the page knows every state, in the order of their urgency', () => {
  expect(shapes.states).toEqual(secretStates);
});
