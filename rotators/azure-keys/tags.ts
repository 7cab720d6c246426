import * as z from 'zod';
import { type ResourceRow, resourceRows } from './table.ts';

export interface AzureKeysTags {
  /** ARM id of the resource that holds the keys, as the tag says it. */
  readonly resource: string;
  /** ARM id of the resource that it is part of; the same where it is part of none. */
  readonly owner: string;
  /** Name of the resource itself. */
  readonly name: string;
  readonly row: ResourceRow;
  /** The type as the table writes it. */
  readonly type: string;
  /** How a new key is proven: by a login to the service, or by Azure Resource Manager's listing alone. */
  readonly prove: 'login' | 'listing';
}

// Names are kept to what ARM allows in any of these types, so that an id cannot smuggle a query, a dot segment or another action.
const nameSegment = '[A-Za-z0-9_()$-][A-Za-z0-9_.()$-]{0,127}';
const scope = new RegExp(
  `^/subscriptions/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/resourceGroups/${nameSegment}/providers/(.+)$`,
  'i',
);
const name = new RegExp(`^${nameSegment}$`);

type Found = Pick<AzureKeysTags, 'row' | 'owner' | 'name' | 'type'>;

/** Finds the row of an ARM id, or says what is wrong with it. */
export function findResource(resource: string): Found | string {
  const rest = scope.exec(resource)?.[1];
  if (rest === undefined)
    return 'write "resource" as /subscriptions/ID/resourceGroups/GROUP/providers/TYPE/NAME, as "az resource show --query id" prints it';
  const [provider = '', ...path] = rest.split('/');
  const types = path.filter((_, index) => index % 2 === 0);
  const names = path.filter((_, index) => index % 2 === 1);
  const last = names.at(-1);
  if (last === undefined || types.length !== names.length || !names.every((part) => name.test(part)))
    return 'write "resource" with a type before each name, and names of letters, digits and - _ . ( ) only';
  const type = [provider, ...types].join('/').toLowerCase();
  const known = resourceRows.flatMap((row) => row.types.map((written) => ({ row, type: written })));
  const match = known.find((one) => one.type.toLowerCase() === type);
  if (match === undefined)
    return 'name a "resource" of a type that holds two keys; docs/rotators/azure-keys.md lists them';
  const owner =
    types.length === 1
      ? resource
      : resource
          .split('/')
          .slice(0, -2 * (types.length - 1))
          .join('/');
  return { ...match, owner, name: last };
}

/** Tags `resource` and `prove` of an Azure key. */
export const azureKeysTags: z.ZodType<AzureKeysTags> = z
  .looseObject({
    resource: z.string({ error: 'add the tag "resource": the ARM id of the resource that holds the key' }),
    prove: z.enum(['login', 'listing'], { error: 'choose "prove" from login and listing' }).default('login'),
  })
  .transform((tags, context): AzureKeysTags => {
    const found = findResource(tags.resource);
    if (typeof found !== 'string') return { resource: tags.resource, prove: tags.prove, ...found };
    context.issues.push({ code: 'custom', input: tags, path: ['resource'], message: found });
    return z.NEVER;
  });
