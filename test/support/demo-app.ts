/** The product as `npm start` gives it, in this process: server, simulators, demo workspace, on a directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Demo, openDemo } from '../../src/app/demo.ts';
import { createLog } from '../../src/app/log.ts';
import { type ReadyLine, readyLine } from '../../src/app/ready.ts';
import { type App, startApp } from '../../src/app/start.ts';
import { loadConfig } from '../../src/core/config.ts';

export interface DemoApp {
  app: App;
  demo: Demo;
  /** What `npm start -- --json` prints. */
  ready: ReadyLine;
  /** Data directory. */
  dataDir: string;
  /** A request with the demo key; answers the JSON body. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
  get(path: string): Promise<any>;
  close(): Promise<void>;
}

/** Starts it on free ports. */
export async function startDemoApp(): Promise<DemoApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-demo-'));
  const config = loadConfig({ POLYAD_DATA_DIR: dataDir, POLYAD_PORT: '0', POLYAD_SIMULATOR_PORT: '0' });
  const app = await startApp({ config, log: createLog('silent') });
  const demo = await openDemo(app);
  return {
    app,
    demo,
    ready: readyLine(app, demo),
    dataDir,
    get: async (path) => (await fetch(app.url + path, { headers: { authorization: demo.apiKey } })).json(),
    close: async () => {
      await app.close(1_000);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
