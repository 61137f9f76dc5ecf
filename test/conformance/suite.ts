/**
 * The conformance suite: the same cases for every folder under src/platforms, over HTTP, against that platform's
 * simulator. What differs between platforms is in `platforms/<id>.ts`; what a platform does not have (conversions,
 * asynchronous reports) has no case there.
 */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts';
import type { PlatformFacts } from './facts.ts';

const PLATFORMS = new URL('../../src/platforms/', import.meta.url);

/** Ids of all platforms; folders that begin with `_` are templates. */
export const platformIds: readonly string[] = readdirSync(PLATFORMS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
  .map((entry) => entry.name)
  .sort();

async function factsOf(id: string): Promise<PlatformFacts | undefined> {
  if (!existsSync(new URL(`platforms/${id}.ts`, import.meta.url))) return undefined;
  return ((await import(`./platforms/${id}.ts`)) as { facts: PlatformFacts }).facts;
}

/** What each case is written against. */
export interface Fixture {
  facts: PlatformFacts;
  /** The app, once it is up. */
  readonly polyad: TestApp;
  /** A connection to everything the test account has. */
  readonly connection: string;
  /** Connects the test account once more, by the flow. */
  connect(): Promise<string>;
}

/** Registers `cases` for every platform, each with an app and a simulator of its own. */
export async function conformance(
  title: string,
  options: Omit<TestAppOptions, 'platform'>,
  cases: (fixture: Fixture) => void,
): Promise<void> {
  for (const id of platformIds) {
    const facts = await factsOf(id);
    describe(`${id}: ${title}`, () => {
      if (facts === undefined) {
        it('has facts for the conformance suite', () => {
          throw new Error(`Write test/conformance/platforms/${id}.ts; test/conformance/facts.ts says what it holds.`);
        });
        return;
      }
      let polyad: TestApp | undefined;
      let connection = '';
      const connect = async (): Promise<string> => {
        const answer = await (polyad as TestApp).connect();
        const made = answer.get('id');
        if (made === null) throw new Error(`the connect flow ended with ${answer}`);
        return made;
      };
      beforeAll(async () => {
        polyad = await startTestApp({ platform: id, ...options });
        connection = await connect();
      });
      afterAll(() => polyad?.close());
      cases({
        facts,
        connect,
        get polyad() {
          return polyad as TestApp;
        },
        get connection() {
          return connection;
        },
      });
    });
  }
}
