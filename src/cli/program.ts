/** The commands, their flags and their help. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

export function buildProgram(): Command {
  const program = new Command('polyad')
    .description(
      'A self-hosted unified advertising API: one API, one connect flow, one data model, and a simulator of every platform.',
    )
    .version(version(), '-V, --version')
    .showHelpAfterError('Run with --help for the arguments.')
    .exitOverride();

  program
    .command('start')
    .description('Start the server with its simulators and the demo workspace')
    .option('--json', 'print exactly one line of JSON on stdout when ready')
    .option('--port <port>', 'port of the server; 0 = any free one (POLYAD_PORT)')
    .option('--host <address>', 'address to listen on (POLYAD_HOST)')
    .option('--data-dir <folder>', 'embedded database, master key, simulator state (POLYAD_DATA_DIR)')
    .option('--simulator-port <port>', 'first port of the simulators; 0 = any free ones (POLYAD_SIMULATOR_PORT)')
    .option('--public-url <url>', 'address under which browsers reach the server (POLYAD_PUBLIC_URL)')
    .option('--log-level <level>', 'silent, error, warn, info or debug (POLYAD_LOG_LEVEL)')
    .option('--no-demo', 'no demo workspace')
    .option('--no-simulators', 'no simulators')
    .action(async (flags) => (await import('./commands/start.ts')).start(flags));
  return program;
}
