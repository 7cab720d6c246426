import { z } from 'zod';

export interface HttpKeysTags {
  /** Name of the provider description. */
  readonly provider: string;
  /** Parts of the tag `resource`, in the order in which the description names them. */
  readonly resource: readonly string[];
  /** The provider's id of a key that was not issued by Keyturn. */
  readonly keyId?: string;
}

/** The tag `key-id`: for the key that was there before Keyturn, whose id no stamp holds. */
export const keyIdTag = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'write "key-id" as the provider shows the id of the key, without blanks');

/** Tags of a key of a described provider. What the parts of `resource` must be is the description's to say. */
export const httpKeysTags: z.ZodType<HttpKeysTags> = z
  .looseObject({
    provider: z
      .string({ error: 'add the tag "provider": the name of a provider description' })
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'write the provider in lower case, as its description is called'),
    resource: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, {
        error: 'write "resource" as the parts that the provider needs, with / between them',
      })
      .optional(),
    'key-id': keyIdTag.optional(),
  })
  .transform(
    (tags): HttpKeysTags => ({
      provider: tags.provider,
      resource: tags.resource?.split('/') ?? [],
      ...(tags['key-id'] === undefined ? {} : { keyId: tags['key-id'] }),
    }),
  );
