import { z } from 'zod';

export interface HttpOptions {
  readonly kind: 'http';
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
export const httpTags: z.ZodType<HttpOptions> = z
  .looseObject({
    provider: z.string(),
    resource: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, {
        error: 'write "resource" as the parts that the provider needs, with / between them',
      })
      .optional(),
    'key-id': keyIdTag.optional(),
  })
  .transform(
    (tags): HttpOptions => ({
      kind: 'http',
      provider: tags.provider,
      resource: tags.resource?.split('/') ?? [],
      ...(tags['key-id'] === undefined ? {} : { keyId: tags['key-id'] }),
    }),
  );
