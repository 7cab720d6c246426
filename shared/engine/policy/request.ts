import * as z from 'zod';

/** The id of a version. */
export const secretVersion = z.string().regex(/^[0-9a-fA-F]{32}$/, 'a version has 32 hex digits');

/**
 * Somebody asks for a rotation. Also the queue message `rotations`; holds no secret value.
 *
 * `mode`: `scheduled` rotates only what is due; `asked` rotates now; `forced` also when no known credential logs in, so that the admin
 * replaces it; `emergency` has no overlap: the old credential is revoked at once; `resume` finishes what a crashed worker began and starts
 * nothing; `roll-back` makes an earlier version's credential current again; `repair` replaces a version that does not log in by the last one
 * that does, or by a new credential.
 */
export const rotationRequest = z
  .object({
    vault: z.string().min(1).max(255),
    secret: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'a secret name has 1 to 127 letters, digits and dashes'),
    /** The version the request is about; another current version makes it `superseded`. */
    version: secretVersion.optional(),
    mode: z.enum(['scheduled', 'asked', 'forced', 'emergency', 'resume', 'roll-back', 'repair']),
    /** The version to go back to; the one before the current where it is absent. */
    to: secretVersion.optional(),
    /** With `roll-back` and `repair`: also to a credential that was revoked in an emergency. Takes the role emergency. */
    force: z.boolean().optional(),
    /** Id of a rotation a person asked for; automatic ones get theirs from the version they replace. */
    rotationId: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    /** Who or what asked: an event type, `sweep`, or a person's name as the identity provider says it. */
    requestedBy: z.string().min(1).max(256),
    /** The id of whoever asked, for tags: a name may be that of a person. Absent: `requestedBy` is one. */
    requestedById: z.string().min(1).max(128).optional(),
    /**
     * When a person asked. Whoever pauses the secret later than that wants it left alone, also by what is only tried again. Absent: it goes
     * on whatever was paused since, as the target may depend on it.
     */
    askedAt: z.iso.datetime().optional(),
    /** Why, in a person's words. */
    reason: z.string().max(1024).optional(),
  })
  // Without either, a redelivery after the publish would look like a new request.
  .refine(
    (request) =>
      ['scheduled', 'resume'].includes(request.mode) ||
      request.rotationId !== undefined ||
      request.version !== undefined,
    {
      message: 'a rotation that is asked for names a rotationId or a version',
    },
  );

export type RotationRequest = z.infer<typeof rotationRequest>;
