/**
 * `<data dir>/demo.json` (mode 0600): the demo workspace's key and where the server listens, so that every start can print
 * the key and the CLI needs no set-up. Never written in production mode.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the file holds. */
export interface DemoFile {
  /** Key of the demo workspace with every scope. */
  api_key: string;
  workspace_id: string;
  /** Address of the server that wrote the file last. It may have ended since. */
  url?: string;
  /** Simulators that ran with it, by id. */
  simulators?: Record<string, { url: string; control_url: string }>;
}

/** Path of the file. */
export const demoFile = (dataDir: string): string => join(dataDir, 'demo.json');

/** The file's content; undefined when there is none or it cannot be read as one. */
export function readDemoFile(dataDir: string): DemoFile | undefined {
  try {
    const content = JSON.parse(readFileSync(demoFile(dataDir), 'utf8')) as Partial<DemoFile>;
    return typeof content.api_key === 'string' && typeof content.workspace_id === 'string'
      ? (content as DemoFile)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file whole or not at all. */
export function writeDemoFile(dataDir: string, content: DemoFile): void {
  const file = demoFile(dataDir);
  const draft = `${file}.${randomUUID()}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const about = 'Demo key of this data directory. Delete the file to get a new key at the next start.';
  writeFileSync(draft, `${JSON.stringify({ about, ...content }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Removes the file. */
export function removeDemoFile(dataDir: string): void {
  rmSync(demoFile(dataDir), { force: true });
}
