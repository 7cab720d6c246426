import { Client, DatabaseError } from 'pg';
import { createSamples, type Sample, samples } from '../samples.ts';
import { overlap } from './put.ts';
import type { Scene } from './scene.ts';
import { toldApplication, toldTags } from './told-application.ts';

/** Its application is told of the new version and acknowledges it; the others look at the vault, and have until the deadline. */
const toldSecret = 'orders-db';

/** The samples of `npm start`: two that rotate and one whose admin is refused. */
export function postgresScenes(): readonly Scene[] {
  return samples.map((sample, index) => {
    const scene = sceneOf(sample, index === 0);
    return sample.secret === toldSecret ? told(scene) : scene;
  });
}

function told(scene: Scene): Scene {
  const application = toldApplication(scene.secret);
  return {
    ...scene,
    ...application,
    about: 'two logins take turns; its application is told, swaps and acknowledges',
    retiredBy: 'free',
    async setUp(azure) {
      await scene.setUp(azure);
      await application.setUp(azure);
    },
  };
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
      if (first && postgres !== undefined)
        await createSamples(vault, postgres, (name) => (name === toldSecret ? toldTags : { overlap }));
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
