/** What the templates deploy: the resources that the compiler predicted for two sets of parameters, and the compiled templates themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../tidy/files.ts';

const resource = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.infer<typeof resource>;

const snapshot = z.object({ predictedResources: z.array(resource) });

/** Each holds its parameters in a file of its own name, `.bicepparam`. */
export const cases = ['open', 'closed'] as const;

/** What is deployed with the parameters of one case. test/infra/compiled.test.ts holds the file to the templates. */
export function predicted(name: (typeof cases)[number]): readonly Resource[] {
  const text = readFileSync(join(root, 'test', 'infra', `${name}.snapshot.json`), 'utf8');
  return snapshot.parse(JSON.parse(text)).predictedResources;
}

export function ofType(resources: readonly Resource[], type: string): readonly Resource[] {
  return resources.filter((one) => one.type.toLowerCase() === type.toLowerCase());
}

const output = z.looseObject({ type: z.string() });
export const template = z.looseObject({
  outputs: z.record(z.string(), output).default({}),
  resources: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
});
export type Template = z.infer<typeof template>;

/** A compiled template and every one that is nested in it. */
export function templatesOf(name: 'main' | 'button'): readonly Template[] {
  return nested(JSON.parse(readFileSync(join(root, 'infra', `${name}.json`), 'utf8')));
}

const deployment = z.looseObject({
  type: z.literal('Microsoft.Resources/deployments'),
  properties: z.looseObject({ template: z.unknown() }),
});

function nested(value: unknown): Template[] {
  const one = template.parse(value);
  const inner = Object.values(one.resources).flatMap((child) => {
    const found = deployment.safeParse(child);
    return found.success ? nested(found.data.properties.template) : [];
  });
  return [one, ...inner];
}

/** The value at a path of names, or undefined. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}
