/**
 * Who is in an audience. Members are digests of the identifiers that were uploaded, which are hashes already: enough to
 * add, remove and compare, and nobody's data. They come by the million, so they live in a log and are folded from it.
 */
import { createHash } from 'node:crypto';
import type { AppendLog } from '../kit/types.ts';
import type { World } from './types.ts';

/** What may happen to the members of an audience. */
export type MemberAction = 'REPLACE' | 'APPEND' | 'REMOVE';

type Entry = { file: string; d: string[] } | { audience: string; action: MemberAction; d?: string[]; files?: string[] };

/** Fifteen hexadecimal digits: two of a million members are never mixed up, and none can be told from it. */
export const memberDigest = (kind: string, id: string): string =>
  createHash('sha256').update(`${kind}\n${id}`).digest('hex').slice(0, 15);

/** How many of a hundred identifiers belong to people on the platform, by the digest: the same ones every time. */
function isMatched(digest: string, percent: number): boolean {
  return Number.parseInt(digest.slice(0, 6), 16) % 100 < percent;
}

/** Members of all audiences, and the contents of uploaded files. */
export class AudienceMembers {
  private readonly log: AppendLog<Entry>;
  private files = new Map<string, string[]>();
  private audiences = new Map<string, Set<string>>();
  private counts = new Map<string, { percent: number; n: number }>();
  private generation = -1;

  constructor(log: AppendLog<Entry>) {
    this.log = log;
  }

  /** Keeps the digests of an uploaded file under its path. */
  addFile(path: string, digests: string[]): void {
    this.fold();
    this.write({ file: path, d: digests });
  }

  /** Changes an audience by uploaded files. */
  changeByFiles(audience: string, action: MemberAction, files: string[]): void {
    this.fold();
    this.write({ audience, action, files });
  }

  /** Changes an audience by digests. */
  change(audience: string, action: MemberAction, digests: string[]): void {
    this.fold();
    this.write({ audience, action, d: digests });
  }

  /** Digests of the members; empty for audiences that were not uploaded. */
  of(audience: string): ReadonlySet<string> {
    this.fold();
    return this.audiences.get(audience) ?? new Set();
  }

  /** How many members belong to people on the platform. */
  matched(audience: string, percent: number): number {
    this.fold();
    const known = this.counts.get(audience);
    if (known?.percent === percent) return known.n;
    let n = 0;
    for (const digest of this.of(audience)) if (isMatched(digest, percent)) n++;
    this.counts.set(audience, { percent, n });
    return n;
  }

  private write(entry: Entry): void {
    this.log.append(entry);
    this.apply(entry);
  }

  private fold(): void {
    if (this.generation === this.log.generation) return;
    this.generation = this.log.generation;
    this.files = new Map();
    this.audiences = new Map();
    this.counts = new Map();
    for (const entry of this.log.read()) this.apply(entry);
  }

  private apply(entry: Entry): void {
    if ('file' in entry) {
      this.files.set(entry.file, entry.d);
      return;
    }
    this.counts.delete(entry.audience);
    let members = this.audiences.get(entry.audience);
    if (!members || entry.action === 'REPLACE') {
      members = new Set();
      this.audiences.set(entry.audience, members);
    }
    const lists = entry.files ? entry.files.map((path) => this.files.get(path) ?? []) : [entry.d ?? []];
    for (const digests of lists) {
      for (const digest of digests) {
        if (entry.action === 'REMOVE') members.delete(digest);
        else members.add(digest);
      }
    }
  }
}

const known = new WeakMap<object, AudienceMembers>();

/** The members of a world's audiences; worlds over one store share them. */
export function audienceMembers(world: World): AudienceMembers {
  const log = world.store.log<Entry>('audience_members');
  let members = known.get(log);
  if (!members) {
    members = new AudienceMembers(log);
    known.set(log, members);
  }
  return members;
}
