/** What Azure Resource Manager says of a resource: where it listens, and whether its keys are switched off. */
import * as z from 'zod';
import type { Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { Arm } from './connect.ts';
import type { AzureKeysTags } from './tags.ts';

export interface ResourceView {
  readonly kind: 'read';
  /** `kind` of the resource (`OpenAI`), where it has one. */
  readonly variety: string | undefined;
  readonly self: Readonly<Record<string, unknown>>;
  /** Of the resource that it is part of; the same where it is part of none. */
  readonly owner: Readonly<Record<string, unknown>>;
}

const resourceShape = z.looseObject({
  kind: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
});

type OneView = { readonly kind: 'read'; readonly resource: z.infer<typeof resourceShape> } | Failure;

/** Reads the resource and its owner. Changes nothing. */
export async function readResource(arm: Arm, step: Step<AzureKeysTags>): Promise<ResourceView | Failure> {
  const { resource, owner } = step.options;
  const self = await readOne(arm, step, resource);
  if (self.kind === 'failed') return self;
  const parent = owner === resource ? self : await readOne(arm, step, owner);
  if (parent.kind === 'failed') return parent;
  return {
    kind: 'read',
    variety: self.resource.kind,
    self: self.resource.properties,
    owner: parent.resource.properties,
  };
}

/** The failure to give when the keys are switched off: regenerating would succeed, and no key would log in. */
export function switchedOff(step: Step<AzureKeysTags>, view: ResourceView): Failure | undefined {
  const { row, name } = step.options;
  const setting = row.switchedOff(row.switchAt === 'self' ? view.self : view.owner);
  if (setting === undefined) return undefined;
  const detail = `keys are switched off (${setting}), so no key logs in`;
  return failure('target-refused', { secret: step.secret, target: name, detail });
}

/** A text among the properties, or undefined. */
export function textOf(properties: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = properties[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function readOne(arm: Arm, step: Step<AzureKeysTags>, id: string): Promise<OneView> {
  const { row, type, name } = step.options;
  const permission = `${id === step.options.resource ? type : type.split('/').slice(0, 2).join('/')}/read`;
  const outcome = await arm.send(step, { method: 'GET', path: id, apiVersion: row.apiVersion, permission });
  if (outcome.kind === 'failed') return outcome;
  const resource = resourceShape.safeParse(outcome.body);
  if (resource.success) return { kind: 'read', resource: resource.data };
  const detail = 'the resource is not in the form of its api-version';
  return failure('target-refused', { secret: step.secret, target: name, detail });
}
