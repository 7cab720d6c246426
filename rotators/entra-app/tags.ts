import * as z from 'zod';

export interface EntraAppTags {
  /** Directory that the application signs in to, as a GUID. */
  readonly tenant: string;
  /** Application (client) id, as a GUID. */
  readonly clientId: string;
  /** Graph's id of a secret that was not issued by Keyturn. */
  readonly keyId?: string;
}

const guid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const resource = new RegExp(`^(${guid})/(${guid})$`);
const howTo = 'write "resource" as TENANT_ID/CLIENT_ID of the application, two GUIDs';

const keyId = z.string().regex(new RegExp(`^${guid}$`), 'write "key-id" as the GUID of the client secret');

/** Tags `resource` and `key-id` of an application's client secret. */
export const entraAppTags: z.ZodType<EntraAppTags> = z
  .looseObject({
    resource: z.string({ error: `add the tag "resource": ${howTo}` }).regex(resource, howTo),
    'key-id': keyId.optional(),
  })
  .transform((tags): EntraAppTags => {
    const [, tenant = '', clientId = ''] = resource.exec(tags.resource.toLowerCase()) ?? [];
    const known = tags['key-id'] === undefined ? {} : { keyId: tags['key-id'].toLowerCase() };
    return { tenant, clientId, ...known };
  });
