/** `polyad connect`: the address at which an account is connected, and the wait until it is. */
import { spawn } from 'node:child_process';
import { connectTo, type TargetFlags } from '../client.ts';
import { CliError } from '../errors.ts';
import { readDuration } from '../flags.ts';
import { chosen, print, readFormat } from '../output.ts';
import { stderrStyle, withProgress } from '../terminal.ts';

export interface ConnectFlags extends TargetFlags {
  output?: string;
  env?: string;
  xref?: string;
  scopes?: string;
  grant?: string;
  workspace?: string;
  open?: boolean;
  /** False: `--no-wait`. */
  wait: boolean;
  timeout: string;
}

interface Connection {
  id: string;
  integration_type: string;
  environment: string;
  updated_at?: string;
}

/** How often the connections are looked at, in ms. */
const POLL_MS = 1000;

export async function connect(type: string, flags: ConnectFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  const workspace = flags.workspace ?? (await client.workspaceId());
  const timeoutMs = readDuration(flags.timeout);

  const query = new URLSearchParams();
  if (flags.env !== undefined) query.set('env', flags.env);
  if (flags.xref !== undefined) query.set('external_xref', flags.xref);
  if (flags.scopes !== undefined) query.set('scopes', flags.scopes);
  if (flags.grant !== undefined) query.set('grant', flags.grant);
  const list = (): Promise<Connection[]> =>
    client.json<Connection[]>(`/unified/connection?integration_type=${encodeURIComponent(type)}&limit=100`);
  const before = flags.wait ? new Set((await list()).map((row) => row.id)) : new Set<string>();

  const path = `/unified/integration/auth/${encodeURIComponent(workspace)}/${encodeURIComponent(type)}`;
  const url = await (await client.send(`${path}?${query}`, { open: true })).text();
  // A program that asked for JSON gets nothing else on stdout.
  (chosen.format === 'json' && flags.wait ? process.stderr : process.stdout).write(`${url}\n`);
  if (flags.open === true) openBrowser(url);
  if (!flags.wait) return;

  if (process.stderr.isTTY && flags.open !== true)
    process.stderr.write(`${stderrStyle().dim('Open the address in a browser. It lives ten minutes.')}\n`);
  const found = await withProgress('waiting for the connection', async () => {
    for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
      const made = (await list()).find((row) => !before.has(row.id));
      if (made !== undefined) return made;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new CliError(`No connection was made within ${flags.timeout}.`, {
      code: 'connect_timeout',
      fix: 'Run the command again for a new address; the page in the browser says what went wrong.',
    });
  });
  print(found, format);
}

/** Opens the system's browser; where there is none the printed address must do. */
function openBrowser(url: string): void {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : ['xdg-open', [url]];
  const child = spawn(command as string, args as string[], { stdio: 'ignore', detached: true });
  child.on('error', () => process.stderr.write('No browser could be opened; open the address yourself.\n'));
  child.unref();
}
