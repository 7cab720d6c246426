import * as z from 'zod';

export interface HttpKeysTags {
  /** Name of the provider description. */
  readonly provider: string;
  /** The parts behind its name in the tag, in the order in which the description names them. */
  readonly resource: readonly string[];
  /** The provider's id of a key that was not issued by Keyturn. */
  readonly keyId?: string;
}

/** The tag `key-id`: for the key that was there before Keyturn, whose id no stamp holds. */
const keyIdTag = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'write "key-id" as the provider shows the id of the key, without blanks');

const providerTag = z
  .string({ error: 'add the tag "provider": the name of a provider description' })
  .regex(/^[a-z0-9][a-z0-9-]{0,62}(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, {
    error:
      'write "provider" as the name of its description, in lower case, and the parts that it needs, with / between them',
  });

/** Tags of a key of a described provider. What the parts behind its name must be is the description's to say. */
export const httpKeysTags: z.ZodType<HttpKeysTags> = z
  .looseObject({ provider: providerTag, 'key-id': keyIdTag.optional() })
  .transform((tags): HttpKeysTags => {
    const [provider = '', ...resource] = tags.provider.split('/');
    return { provider, resource, ...(tags['key-id'] === undefined ? {} : { keyId: tags['key-id'] }) };
  });
