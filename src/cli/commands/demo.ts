/** `polyad demo`: what the demo workspace consists of, and a fresh one. */
import { connectAccount } from '../../app/connect-account.ts';
import { demoFile, removeDemoFile } from '../../app/demo-file.ts';
import { Client, findTarget, type Target, type TargetFlags } from '../client.ts';
import { CliError, EXIT } from '../errors.ts';
import { print, readFormat } from '../output.ts';
import { stderrStyle, withProgress } from '../terminal.ts';
import { control } from './simulator.ts';

export interface DemoFlags extends TargetFlags {
  output?: string;
}

interface Connection {
  id: string;
  integration_type: string;
  environment: string;
  health?: { state?: string };
}

const none = (target: Target): CliError =>
  new CliError(`There is no demo in ${target.dataDir}.`, {
    code: 'demo_missing',
    fix: 'polyad start makes one (not in production mode, and not with --no-demo).',
  });

/** Connections of the demo workspace; undefined when the server does not answer. */
async function connections(target: Target): Promise<Connection[] | undefined> {
  const client = new Client(target);
  try {
    return await client.json<Connection[]>('/unified/connection?env=simulator&limit=100');
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return undefined;
    throw error;
  }
}

export async function show(flags: DemoFlags): Promise<void> {
  const format = readFormat(flags.output);
  const target = await findTarget(flags);
  if (target.demo === undefined) throw none(target);
  const found = await connections(target);
  print(
    {
      url: target.url,
      server: found === undefined ? 'not running' : 'running',
      api_key: target.demo.api_key,
      workspace_id: target.demo.workspace_id,
      connections: found?.map(({ id, integration_type, environment, health }) => ({
        id,
        integration_type,
        environment,
        health: health?.state,
      })),
      simulators: target.demo.simulators,
      file: demoFile(target.dataDir),
    },
    format,
  );
}

/**
 * With a running server: simulators as at their first start, the demo's connections made anew. Without one: the demo file
 * is removed, and the next start makes a new key.
 */
export async function reset(flags: DemoFlags): Promise<void> {
  const format = readFormat(flags.output);
  const target = await findTarget(flags);
  if (target.demo === undefined) throw none(target);
  const old = await connections(target);
  if (old === undefined) {
    removeDemoFile(target.dataDir);
    process.stderr.write(
      `${stderrStyle().dim('The server is not running: the demo file was removed, and the next start makes a new key.')}\n`,
    );
    return;
  }
  const client = new Client(target);
  const { simulators = {}, workspace_id: workspaceId } = target.demo;
  const made = await withProgress('resetting the demo', async (line) => {
    for (const { id } of old) await client.json(`/unified/connection/${id}`, { method: 'DELETE' });
    const integrations = await client.json<{ type: string }[]>(
      '/unified/integration?env=simulator&active=true&summary=true',
    );
    const ids: { id: string; integration_type: string }[] = [];
    for (const [id, simulator] of Object.entries(simulators)) {
      line.say(`resetting ${id}`);
      await control(simulator.control_url, 'POST', '/reset', {});
      const type = integrations.find((row) => row.type === id || row.type.startsWith(id))?.type;
      if (type === undefined) continue;
      line.say(`connecting ${type}`);
      const connection = await connectAccount({
        url: target.url,
        workspaceId,
        type,
        controlUrl: simulator.control_url,
        external_xref: 'demo-customer',
      });
      ids.push({ id: connection, integration_type: type });
    }
    return ids;
  });
  print({ connections: made }, format);
}
