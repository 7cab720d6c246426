import { z } from 'zod';

export interface EntraAppOptions {
  readonly kind: 'entra-app';
  /** Directory that the application signs in to, as a GUID. */
  readonly tenant: string;
  /** Application (client) id, as a GUID. */
  readonly clientId: string;
}

const guid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const resource = new RegExp(`^(${guid})/(${guid})$`);
const howTo = 'write "resource" as TENANT_ID/CLIENT_ID of the application, two GUIDs';

/** Tag `resource` of an application's client secret. */
export const entraAppTags: z.ZodType<EntraAppOptions> = z
  .looseObject({ resource: z.string({ error: `add the tag "resource": ${howTo}` }).regex(resource, howTo) })
  .transform((tags): EntraAppOptions => {
    const [, tenant = '', clientId = ''] = resource.exec(tags.resource.toLowerCase()) ?? [];
    return { kind: 'entra-app', tenant, clientId };
  });
