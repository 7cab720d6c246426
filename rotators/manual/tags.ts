import * as z from 'zod';

export const manualTags = z.object({
  owner: z.string().trim().min(1, 'names who replaces it: a team, or an address').optional(),
  link: z.url({ protocol: /^https$/, error: 'is the https address where the next credential is made' }).optional(),
});

export type ManualTags = z.infer<typeof manualTags>;
