import { Client, DatabaseError } from 'pg';
import { createSamples, type Sample, samples } from '../samples.ts';
import { overlap } from './put.ts';
import type { Scene } from './scene.ts';

/** The samples of `npm start`: two that rotate and one whose admin is refused. */
export function postgresScenes(): readonly Scene[] {
  return samples.map((sample, index) => sceneOf(sample, index === 0));
}

function sceneOf(sample: Sample, first: boolean): Scene {
  const failing = sample.secret === 'billing-db';
  return {
    secret: sample.secret,
    about: sample.about,
    strategy: `postgres ${sample.strategy}`,
    expected: failing ? 'failed' : 'rotated',
    unnoticed: sample.strategy === 'alternating-users',
    setUp: async ({ vault, postgres }) => {
      if (first && postgres !== undefined) await createSamples(vault, postgres, { overlap });
    },
    use: async (value) => {
      await connected(value, (client) => client.query('INSERT INTO visits DEFAULT VALUES'));
    },
    accepts: (value) =>
      connected(value, () => Promise.resolve(true)).catch((error: unknown) => {
        if (error instanceof DatabaseError && error.code === '28P01') return false;
        throw error;
      }),
  };
}

async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'demo' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
