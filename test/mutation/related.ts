/** Which tests can notice a change of a file, the quickest first. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveImport } from '../tidy/directions.ts';
import { projectFiles, root } from '../tidy/files.ts';
import { readSource } from '../tidy/source.ts';

export type Graph = ReadonlyMap<string, readonly string[]>;

/** What each file loads, by paths from the root. Types are no connection: nothing of them runs. */
export function importGraph(): Graph {
  const files = projectFiles().filter(({ path }) => path.endsWith('.ts'));
  return new Map(
    files.map(({ path }) => [
      path,
      readSource(path, readFileSync(join(root, path), 'utf8'))
        .imports.filter((one) => !one.typeOnly && one.from.startsWith('.'))
        .map((one) => resolveImport(path, one.from)),
    ]),
  );
}

/** They load everything there is, so that being loaded through them connects nobody. */
const hub = /^(rotators\/registry\.ts$|functions\/|shared\/api\/)/;

/** How many imports lead from a file to each of those it loads. */
function distancesFrom(graph: Graph, file: string): ReadonlyMap<string, number> {
  const distances = new Map([[file, 0]]);
  for (const [path, distance] of distances) {
    for (const next of hub.test(path) ? [] : (graph.get(path) ?? []))
      if (!distances.has(next)) distances.set(next, distance + 1);
  }
  return distances;
}

/** The more of the world a test brings up, the later it is asked: nothing, the servers of a target, a whole Azure. */
const worlds = [
  /^local\/(azure|start)\.ts$|^local\/functions-host\//,
  /^local\/(postgres|mariadb|redis)\.ts$/,
] as const;

function costOf(reached: Iterable<string>): number {
  const paths = [...reached];
  const world = worlds.findIndex((files) => paths.some((path) => files.test(path)));
  return world < 0 ? 0 : worlds.length - world;
}

export interface Related {
  readonly test: string;
  readonly cost: number;
  readonly distance: number;
}

/**
 * Tests of a file by cost, then by how directly they load it. What a rotator does shows on the servers of its target; everything else is
 * asked for where nothing has to be brought up, if any test does so, and at the two nearest tests if none does.
 */
export function relatedTests(graph: Graph): (file: string) => readonly Related[] {
  const tests = [...graph.keys()].filter((path) => path.endsWith('.test.ts') && !path.startsWith('test/tidy'));
  const reached = tests.map((test) => {
    const distances = distancesFrom(graph, test);
    return { test, distances, cost: costOf(distances.keys()) };
  });
  return (file) => {
    const all = reached
      .flatMap(({ test, distances, cost }) => {
        const distance = distances.get(file);
        return distance === undefined ? [] : [{ test, cost, distance }];
      })
      .sort((a, b) => a.cost - b.cost || a.distance - b.distance || (a.test < b.test ? -1 : 1));
    const most = file.startsWith('rotators/') ? 1 : 0;
    const near = all.filter(({ cost }) => cost <= most);
    return near.length > 0 ? near : all.slice(0, 2);
  };
}
