import * as z from 'zod';

/** None of its own: which primary a Sentinel is asked for stands in the connection, as `serviceName`. */
export const redisTags = z.object({});

export type RedisTags = z.infer<typeof redisTags>;
