/** One target with its vaults and its worker that takes over: plays deliveries, kills the process in which they stand, and judges. */
import { BlobServiceClient } from '@azure/storage-blob';
import type { Azurite } from '../../local/azurite.ts';
import { createClock, startVaultEmulator } from '../../local/vault/index.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { leaseContainer } from '../../shared/storage/blob-leases.ts';
import { connectStorage } from '../../shared/storage/connect.ts';
import { tableLoginIndex } from '../../shared/storage/state/login-index.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { TableHistory } from '../../shared/storage/table-history.ts';
import { heardSettings } from '../heard.ts';
import { startWorker, type Worker } from './processes.ts';
import type { Answer, Point } from './protocol.ts';
import { type Ground, Scene } from './scene.ts';
import type { MatrixTarget, StartedTarget } from './target.ts';
import type { Work } from './work.ts';

/** A kind of work of one strategy at one target. */
export interface Cell {
  readonly target: string;
  readonly strategy: Strategy;
  readonly work: Work;
}

/** One point of one work. */
export interface Entry {
  readonly cell: Cell;
  readonly point: Point;
}

export interface Played extends Point {
  readonly target: string;
  readonly strategy: Strategy;
  readonly work: string;
  /** The side effect. */
  readonly effect: string;
  /** Time from the kill until the work was done, in ms: the lease was taken back and the message delivered at once. */
  readonly ms: number;
  /** Deliveries after the kill until the work was done. */
  readonly deliveries: number;
  /** What was wrong; nothing: it recovered. */
  readonly wrong: readonly string[];
}

const daySeconds = 86_400;
const mostDeliveries = 5;
/** More clients than this would be a load of its own. */
const judgedAtOnce = 8;
const credential = {
  getToken: async () => ({ token: 'local', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

export class Lane {
  readonly target: MatrixTarget;
  readonly #started: StartedTarget;
  readonly #ground: Ground;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #storage: Azurite;
  /** The one that takes over; it is never killed in the middle. */
  readonly #second: Worker;
  #count = 0;

  private constructor(
    target: MatrixTarget,
    started: StartedTarget,
    ground: Ground,
    settings: Readonly<Record<string, string>>,
    storage: Azurite,
    second: Worker,
  ) {
    this.target = target;
    this.#started = started;
    this.#ground = ground;
    this.#settings = settings;
    this.#storage = storage;
    this.#second = second;
  }

  static async start(target: MatrixTarget, storage: Azurite): Promise<Lane> {
    const clock = createClock();
    const limits = { on: false };
    const [started, vault, otherVault] = await Promise.all([
      target.start(),
      startVaultEmulator({ name: 'local', clock, limits }),
      startVaultEmulator({ name: 'eu-vault', clock, limits }),
    ]);
    const settings = {
      AzureWebJobsStorage: storage.connectionString,
      KEYTURN_VAULTS: `local=${vault.url},eu-vault=${otherVault.url}`,
      KEYTURN_CREDENTIAL: 'local',
      ...heardSettings,
      ...started.settings,
    };
    const connection = { kind: 'connection-string' as const, value: new SecretText(storage.connectionString) };
    const clients = connectStorage(connection, credential);
    const history = new TableHistory(clients);
    // As a sweep leaves it: whoever looks at all secrets first makes other calls than whoever comes after.
    const logins = tableLoginIndex(new Records(clients));
    for (const name of ['local', 'eu-vault']) await logins.markComplete(name, new Date());
    const second = await startWorker(settings);
    return new Lane(target, started, { vault, otherVault, history }, settings, storage, second);
  }

  async close(): Promise<void> {
    await this.#second.kill();
    await this.#ground.vault.close();
    await this.#ground.otherVault.close();
    await this.#started.close();
  }

  /** The side effects of the work, in order, when nobody dies. Rejects when something is wrong even then. */
  async trace(cell: Cell): Promise<readonly string[]> {
    const [scene] = await this.#scenes([cell]);
    if (scene === undefined) throw new Error('no secret was made');
    const told = await this.#second.deliver(cell.work.message(scene));
    scene.remember(told.made);
    const wrong = [...(await cell.work.judge(scene)), ...(await scene.judgeAlways(undefined))];
    await scene.close();
    if (wrong.length > 0 || !isDone(told)) {
      const where = `${cell.target}/${cell.strategy}/${cell.work.name}`;
      throw new Error(`${where} without a kill: ${[told.outcome, told.detail, ...wrong].join('; ')}`);
    }
    return told.calls;
  }

  /**
   * Plays these points: all of them stand in one process, which is killed; another one takes over. Points to which a worker did
   * not come are left out of what it gives back.
   */
  async play(entries: readonly Entry[]): Promise<readonly Played[]> {
    const scenes = await this.#scenes(entries.map(({ cell }) => cell));
    const first = await startWorker(this.#settings);
    const answers = await Promise.all(
      entries.map(async ({ cell, point }, at) => first.deliver({ ...cell.work.message(itemOf(scenes, at)), point })),
    );
    await first.kill();
    const killedMs = performance.now();
    const played: Played[] = [];
    await inTurns([...entries.entries()], judgedAtOnce, async ([at, { cell, point }]) => {
      const [scene, answer] = [itemOf(scenes, at), itemOf(answers, at)];
      // A worker that polls less often, or writes two steps into the history at once, is done before it comes to a late point: nothing was
      // killed there, and its last effects are those of earlier points.
      if (answer.kind === 'standing') played.push(await this.#judge(cell, scene, point, answer, killedMs));
      else await scene.close();
    });
    return played;
  }

  async #judge(cell: Cell, scene: Scene, point: Point, stood: Answer, killedMs: number): Promise<Played> {
    const effect = stood.calls[point.call] ?? '';
    const wrong: string[] = [];
    scene.remember(stood.made);
    wrong.push(...(await scene.judgeBetween()));
    const stored = scene.pending().at(-1)?.value;
    await this.#takeLeaseBack(scene.name);
    const { deliveries, last } = await this.#deliverUntilDone(cell, scene);
    const ms = Math.round(performance.now() - killedMs);
    if (!isDone(last)) wrong.push(`not done after ${deliveries} deliveries: ${last.outcome} ${last.detail}`);
    wrong.push(...(await cell.work.judge(scene)), ...(await scene.judgeAlways(stored)));
    wrong.push(...(await this.#judgeDuplicate(cell, scene)));
    await scene.close();
    const { target, strategy } = cell;
    return { target, strategy, work: cell.work.name, effect, ...point, ms, deliveries, wrong };
  }

  async #deliverUntilDone(cell: Cell, scene: Scene): Promise<{ readonly deliveries: number; readonly last: Answer }> {
    for (let deliveries = 1; ; deliveries++) {
      const last = await this.#second.deliver(cell.work.message(scene));
      scene.remember(last.made);
      if (isDone(last) || deliveries === mostDeliveries) return { deliveries, last };
    }
  }

  /** The message comes once more, as it may at any time. */
  async #judgeDuplicate(cell: Cell, scene: Scene): Promise<readonly string[]> {
    const before = scene.versions().map(({ id, enabled }) => `${id} ${enabled}`);
    await this.#second.deliver(cell.work.message(scene));
    const after = scene.versions().map(({ id, enabled }) => `${id} ${enabled}`);
    const wrong = before.join() === after.join() ? [] : ['a duplicate of the message changed versions'];
    return (await scene.login(scene.current())) ? wrong : [...wrong, 'after a duplicate the version does not log in'];
  }

  /** A secret for each. Those of one call are all within the overlap of the rotation before, or all past it. */
  async #scenes(cells: readonly Cell[]): Promise<readonly Scene[]> {
    const { clock } = this.#ground.vault;
    const all: { readonly work: Work; readonly scene: Scene }[] = [];
    for (const { strategy, work } of cells) all.push({ work, scene: await this.#plant(strategy, work) });
    // A publish would wait for the next second, and look twice at versions of one second.
    clock.advance(2_000);
    const rotated = all.filter(({ work }) => work.rotatedBefore);
    await inTurns(rotated, 8, ({ scene }) => this.#rotateBefore(scene));
    clock.advance(cells.some(({ work }) => work.overlapOver) ? 7_200_000 : 2_000);
    for (const { work, scene } of all) if (work.intruded) await scene.intrude();
    return all.map(({ scene }) => scene);
  }

  async #rotateBefore(scene: Scene): Promise<void> {
    const rotationId = scene.id('rotation');
    const message = { vault: 'local', secret: scene.name, mode: 'asked', requestedBy: 'before', rotationId };
    const told = await this.#second.deliver({ activity: 'rotation', message });
    scene.remember(told.made);
    if (told.outcome !== 'rotated') throw new Error(`the rotation before: ${told.outcome} ${told.detail}`);
  }

  async #plant(strategy: Strategy, work: Work): Promise<Scene> {
    const { vault, otherVault } = this.#ground;
    this.#count += 1;
    const name = `${this.target.name}-${strategy}-${work.name}-${this.#count}`;
    const planted = await this.#started.plant(strategy, name);
    const { value, admin } = planted;
    if (admin !== undefined && vault.versions(admin.name).length === 0)
      vault.put(admin.name, { value: admin.value, tags: { serves: '*' } });
    const contentType = value.startsWith('{') ? 'application/json' : 'text/plain';
    const also = work.copied ? { also: `eu-vault/${name}` } : {};
    if (work.copied) otherVault.put(name, { value, contentType, tags: { 'copy-of': `local/${name}` } });
    const tags = { ...planted.tags, ...also, overlap: 'PT1H' };
    vault.put(name, { value, tags, contentType, expiresSeconds: vault.clock.nowSeconds() + 20 * daySeconds });
    return new Scene(this.#ground, name, strategy, planted);
  }

  /** As the service does it half a minute after a worker was last heard of. */
  async #takeLeaseBack(name: string): Promise<void> {
    const blobs = BlobServiceClient.fromConnectionString(this.#storage.connectionString);
    const blob = blobs.getContainerClient(leaseContainer).getBlobClient(`local/${name}`);
    const held = (await blob.exists()) && (await blob.getProperties()).leaseState === 'leased';
    if (held) await blob.getBlobLeaseClient().breakLease(0);
  }
}

function isDone({ outcome }: Answer): boolean {
  return outcome === 'rotated' || outcome === 'retired' || outcome === 'skipped';
}

function itemOf<Item>(items: readonly Item[], at: number): Item {
  const item = items[at];
  if (item === undefined) throw new Error(`there is no item ${at}`);
  return item;
}

export async function inTurns<Item>(
  items: readonly Item[],
  width: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const open = [...items];
  const worker = async (): Promise<void> => {
    for (let item = open.shift(); item !== undefined; item = open.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
