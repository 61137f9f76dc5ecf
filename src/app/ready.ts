/** What `polyad start` says when it is ready: one line of JSON for programs, a banner for people. */
import { wireEnvironment } from '../core/connector/hosts.ts';
import type { ConnectionRow } from '../core/store/schema.ts';
import type { Demo } from './demo.ts';
import type { App } from './start.ts';

/** The line of `--json`. `api_key` and `workspace_id` are null where no demo was made. */
export interface ReadyLine {
  url: string;
  api_key: string | null;
  workspace_id: string | null;
  dashboard: string;
  connections: { id: string; integration_type: string; environment: string }[];
  /** By id: addresses and a ready-made test app and account in the platform's own words. */
  simulators: Record<string, { url: string; control_url: string; [name: string]: unknown }>;
}

/** The ready line's content. */
export function readyLine(app: App, demo: Demo | undefined): ReadyLine {
  return {
    url: app.url,
    api_key: demo?.apiKey ?? null,
    workspace_id: demo?.workspace.id ?? null,
    dashboard: `${app.publicUrl}/dashboard`,
    connections: (demo?.connections ?? []).map(({ id, integration_type, environment }) => ({
      id,
      integration_type,
      environment,
    })),
    simulators: Object.fromEntries(
      Object.values(app.simulators).map(({ id, url, controlUrl, ready }) => [
        id,
        { url, control_url: controlUrl, ...ready },
      ]),
    ),
  };
}

/** Text styles; the plain ones where the output is no terminal. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
  yellow(text: string): string;
}

/** A call that works at once in any shell: the campaigns of the demo connection. */
export function firstCall(app: App, demo: Demo): string | undefined {
  const connection = usable(demo);
  if (connection === undefined) return undefined;
  return `curl -s -H "Authorization: Bearer ${demo.apiKey}" "${app.url}/ads/${connection.id}/campaign?limit=5"`;
}

const usable = (demo: Demo): ConnectionRow | undefined =>
  demo.connections.find((row) => row.environment === 'simulator' && row.health_state !== 'reconnect_required');

/** The banner. */
export function banner(app: App, demo: Demo | undefined, style: Style, startedInMs: number): string {
  const row = (name: string, value: string): string => `  ${style.dim(name.padEnd(12))}${value}`;
  const lines = [
    '',
    `${style.green('●')} ${style.bold('polyad is ready')} ${style.dim(`(${(startedInMs / 1000).toFixed(1)} s)`)}`,
    '',
    row('API', app.url),
    row('Dashboard', `${app.publicUrl}/dashboard`),
    row('Reference', `${app.publicUrl}/docs`),
    row('Data', app.config.databaseUrl === undefined ? `${app.config.dataDir} (embedded database)` : 'PostgreSQL'),
  ];
  for (const { id, url, controlUrl } of Object.values(app.simulators))
    lines.push(row('Simulator', `${id} ${url} ${style.dim(`control: ${controlUrl}`)}`));
  if (demo !== undefined) {
    lines.push(row('API key', style.yellow(demo.apiKey)));
    for (const { id, integration_type, environment } of demo.connections.slice(0, 5))
      lines.push(row('Connection', `${id} ${style.dim(`${integration_type}, ${wireEnvironment(environment)}`)}`));
    const call = firstCall(app, demo);
    if (call !== undefined) lines.push('', style.bold('Try it'), '', `  ${style.cyan(call)}`);
    else if (demo.connections.length > 0)
      lines.push('', 'The demo account is not usable any more; `polyad demo reset` makes a new one.');
    lines.push(
      '',
      style.bold('Next'),
      `  polyad call ads campaign list         ${style.dim('any unified call as a table')}`,
      `  polyad connect tiktokads              ${style.dim('connect an account by the hosted page')}`,
      `  polyad simulator log --follow         ${style.dim('what the simulators are asked')}`,
      `  polyad doctor                         ${style.dim('checks the set-up and says what to fix')}`,
      `  ${style.dim('In a clone: npm run polyad -- <command>. The key also signs in to the dashboard.')}`,
    );
  } else {
    lines.push(
      '',
      style.bold('Next'),
      `  polyad keys bootstrap                 ${style.dim('makes a workspace with an admin key')}`,
      `  polyad doctor                         ${style.dim('checks the set-up and says what to fix')}`,
    );
  }
  lines.push('', style.dim('Ctrl-C stops it.'), '');
  return lines.join('\n');
}
