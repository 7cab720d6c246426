/** What the simulator knows of a history and the engine does not. */
import type { Credential } from '../../shared/contract/credential.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { readRequested } from '../../shared/engine/policy/requested.ts';
import { answers, readStamp } from '../../shared/engine/policy/stamp.ts';
import { credentialIn, type World } from './world.ts';

/** An emergency as the person who calls it means it. */
export interface Called {
  /** The credential that leaked. */
  readonly leaked: Credential;
  /** Messages of it that somebody may still get. */
  messages: number;
  /** It stands in the vault, or a worker has begun to change the target for it: from now on nothing may lose it. */
  written: boolean;
}

/** A retirement that somebody forced. */
interface Forced {
  readonly rotationId: string;
  /** The version whose credential is meant. */
  readonly from: string;
  lost: boolean;
  /** Somebody has made that credential the current one again: it is not an old one, and nothing but an emergency ends it. */
  cameBack: boolean;
}

export function keyOf({ username = '', password }: Credential): string {
  return `${username}/${password.reveal()}`;
}

export class GroundTruth {
  /** Versions that a person made. */
  readonly byHand = new Set<string>();
  /** Whoever asks for one of these knows that the overlap is cut short. */
  readonly hasty = new Set<string>();
  /** Credentials that were brought back by somebody who insisted. */
  readonly forgiven = new Set<string>();
  /** By the id of its request. */
  readonly emergencies = new Map<string, Called>();
  /** Retirements that somebody forced: the rotation, and the version whose credential is meant. */
  readonly forced: Forced[] = [];
  /** Versions whose credential is to be revoked, as a version said while it was the current one. */
  readonly toRevoke = new Set<string>();
  /** Versions of others that people were told of. */
  readonly told = new Set<string>();
  /** Versions that were published for a request, by its id. */
  readonly madeFor = new Map<string, Set<string>>();
  /** Workers by the version that they published, and those that did not come to an end after it. */
  readonly makers = new Map<string, object>();
  readonly unfinished = new Set<object>();
  /** Rotations that somebody wanted whatever stood in the way. */
  readonly insisted = new Set<string>();
  /** Those of them whose workers have begun to change the target. */
  readonly insistedBegun = new Set<string>();
  /** Workers that changed the target and published nothing. */
  readonly leftBehind = new Set<object>();
  storageLost = false;
  /** An older value was written back: what it took the place of is nobody's to end. */
  wroteBack = false;

  /** Remembers which versions of others a text names. */
  hear(text: string): void {
    for (const version of this.byHand) if (text.includes(version)) this.told.add(version);
  }

  /** A message of an emergency is gone for good. */
  lost(queue: string, rotationId: string | undefined): void {
    for (const each of this.forced) each.lost ||= queue === queueNames.retirements && each.rotationId === rotationId;
    const called = rotationId === undefined ? undefined : this.emergencies.get(rotationId);
    if (called !== undefined) called.messages--;
  }

  /** A worker is about to change the target for a request. */
  begun(rotationId: string | undefined): void {
    if (rotationId !== undefined && this.insisted.has(rotationId)) this.insistedBegun.add(rotationId);
    const called = rotationId === undefined ? undefined : this.emergencies.get(rotationId);
    if (called !== undefined) called.written = true;
  }

  /**
   * Sees what stands in the vault, on the current version: nobody looks at the tags of another. The service has no compare-and-set, so what
   * a worker writes down on a version that somebody has replaced in that moment is kept by its message alone.
   */
  observe(world: World): void {
    const { vault, secret } = world;
    const { tags } = vault.newest(secret);
    const stamp = readStamp(tags);
    const { emergency, earlier } = readRequested(tags);
    if (stamp?.revoke !== undefined) this.toRevoke.add(stamp.from);
    for (const [rotationId, called] of this.emergencies) {
      const isStamped = stamp?.revoke !== undefined && answers(stamp, rotationId);
      called.written ||= isStamped || emergency?.rotationId === rotationId || earlier?.rotationId === rotationId;
    }
    const current = keyOf(world.current());
    for (const each of this.forced) {
      const old = vault.secrets.get(secret)?.find(({ version }) => version === each.from);
      each.cameBack ||= old !== undefined && keyOf(credentialIn(old.value)) === current;
    }
  }
}
