/** The commands, their flags and their help. What a command does lies in `commands/` and is loaded when it runs. */
import { readFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { VARIABLES } from '../core/config.ts';
import { FILTER_NAMES, LIST_OPTIONS, OBJECTS } from '../core/model/objects.ts';
import { METHODS } from '../core/model/permissions.ts';
import { collect, withOutput, withTarget } from './flags.ts';
import { addAudit, addDoctor, addKeys, addLaunch, addVault, examples } from './program-admin.ts';
import { addReport } from './program-report.ts';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

const ROOT_HELP = `
Examples:
  $ polyad start                                     everything on this machine, with a demo account
  $ polyad start --json                              the same for scripts: one line of JSON when ready
  $ polyad call ads campaign list --limit 5          a unified call
  $ polyad connect tiktokads --open                  connect an account in the browser
  $ polyad simulator clock advance 90d               let time pass for the simulators
  $ polyad doctor                                    check the set-up

Configuration: environment variables, or the same settings in polyad.config.ts (POLYAD_CONFIG names another file;
variables win over the file, flags over both).
${Object.entries(VARIABLES)
  .map(([name, text]) => `  ${name}\n      ${text}`)
  .join('\n')}

Exit codes: 0 done; 1 failed; 2 wrong arguments or configuration; 3 server or simulator not reachable;
4 refused by the API or the simulator (the error says why and what to do).`;

export function buildProgram(): Command {
  const program = new Command('polyad')
    .description(
      'A self-hosted unified advertising API: one API, one connect flow and one data model over every ad platform,\nwith a simulator of each.',
    )
    .version(version(), '-V, --version')
    .helpOption('-h, --help', 'explain a command')
    .showHelpAfterError('Run with --help for the arguments.')
    .addHelpText('after', ROOT_HELP)
    .exitOverride();
  addStart(program);
  addDemo(program);
  addConnect(program);
  addCall(program);
  addSimulator(program);
  addKeys(program);
  addReport(program, examples);
  addConversions(program);
  addAudit(program);
  addVault(program);
  addLaunch(program);
  addDoctor(program);
  return program;
}

function addStart(program: Command): void {
  program
    .command('start')
    .description('start the server with its simulators and the demo workspace')
    .option('--json', 'print exactly one line of JSON on stdout when ready; everything else goes to stderr')
    .option('--role <role>', 'api, worker or all: serve HTTP, work in the background, or both (POLYAD_ROLE)')
    .option('--port <port>', 'port of the server; 0 = any free one (POLYAD_PORT)')
    .option('--host <address>', 'address to listen on (POLYAD_HOST)')
    .option('--data-dir <folder>', 'embedded database, master key, simulator state (POLYAD_DATA_DIR)')
    .option('--simulator-port <port>', 'first port of the simulators; 0 = any free ones (POLYAD_SIMULATOR_PORT)')
    .option('--public-url <url>', 'address under which browsers reach the server (POLYAD_PUBLIC_URL)')
    .option('--log-level <level>', 'silent, error, warn, info or debug (POLYAD_LOG_LEVEL)')
    .option('--no-demo', 'no demo workspace')
    .option('--no-simulators', 'no simulators')
    .addHelpText(
      'after',
      `
The first start makes a demo workspace with an admin key and a simulator account connected through the real OAuth
flow; later starts find it again. The key lies in <data dir>/demo.json (readable by you alone). With
NODE_ENV=production there is no demo, simulators are off unless POLYAD_SIMULATORS=on, and the first key is made by
\`polyad keys bootstrap\`.
SIGINT and SIGTERM finish requests under way; a second signal stops at once.
${examples('start', 'start --port 8080 --data-dir /var/lib/polyad', 'start --json --port 0 --simulator-port 0')}`,
    )
    .action(async (flags) => (await import('./commands/start.ts')).start(flags));
}

function addDemo(program: Command): void {
  const demo = program.command('demo').description('the demo workspace of this data directory');
  const show = demo.command('show', { isDefault: true }).description('its key, connections and simulators');
  withTarget(withOutput(show)).action(async (flags) => (await import('./commands/demo.ts')).show(flags));
  const reset = demo
    .command('reset')
    .description('simulators as at first, and a fresh connection; with a stopped server: a new key at the next start');
  withTarget(withOutput(reset)).action(async (flags) => (await import('./commands/demo.ts')).reset(flags));
}

function addConnect(program: Command): void {
  const command = program
    .command('connect')
    .description('connect an ad account: prints the address for a browser and waits for the connection')
    .argument('<integration>', 'type slug, such as tiktokads')
    .option('--env <environment>', 'production, sandbox or simulator; default: that of the workspace')
    .option('--open', 'open the address in this machine’s browser')
    .option('--xref <id>', 'your own id of the customer, kept on the connection')
    .option('--scopes <list>', 'permissions to ask for, joined by commas')
    .option('--grant <id>', 'another kind of grant than the platform’s usual one')
    .option('--workspace <id>', 'default: that of the key')
    .option('--no-wait', 'print the address and end')
    .option('--timeout <time>', 'how long to wait', '10m')
    .addHelpText(
      'after',
      examples('connect tiktokads --open', 'connect tiktokads --env production --xref customer-7 --no-wait'),
    );
  withTarget(withOutput(command)).action(async (type, flags) =>
    (await import('./commands/connect.ts')).connect(type, flags),
  );
}

/** Flags of every call. */
function callFlags(command: Command): Command {
  return withTarget(withOutput(command))
    .option('-d, --data <json>', 'body: JSON, @file, or - for stdin')
    .option('-p, --param <name=value>', 'any query parameter; may be repeated', collect)
    .option('-H, --header <header>', "any request header, 'Name: value'; may be repeated", collect);
}

const throughConnection = (command: Command): Command =>
  command
    .option('-c, --connection <id>', 'default: the only one, or the demo’s')
    .option('--env <environment>', 'looks for the connection in this environment');

const dashed = (name: string): string => name.replaceAll('_', '-');

function addCall(program: Command): void {
  const call = program
    .command('call')
    .description('any call of the API')
    .addHelpText(
      'after',
      examples(
        'call ads campaign list --org-id 7001 --status ACTIVE -o table',
        'call ads campaign list --all -o ndjson',
        'call ads campaign create -d @campaign.json --dry-run',
        'call ads campaign update 1803 -d \'{"status": "PAUSED"}\'',
        'call report --org-id 7001 --start-gte 2026-01-01 --end-lt 2026-02-01 --type COST,CLICKS --dimension DATE',
        'call passthrough GET open_api/v1.3/user/info/',
        'call connections list',
      ),
    );

  const listFlags = (command: Command): Command => {
    for (const name of FILTER_NAMES) command.option(`--${dashed(name)} <value>`, `filter \`${name}\``);
    for (const name of LIST_OPTIONS) command.option(`--${dashed(name)} <value>`, `list option \`${name}\``);
    return command;
  };
  const ads = call
    .command('ads')
    .description('list, get, create, update or remove an advertising object')
    .addArgument(new Argument('<object>').choices(Object.keys(OBJECTS)))
    .addArgument(new Argument('<method>').choices(METHODS))
    .argument('[id]', 'for get, update and remove')
    .option('--all', 'list: every page')
    .option('--dry-run', 'writes: show what would be sent, send nothing')
    .option('--idempotency-key <key>', 'writes: a repeated call with the same key is done once')
    .option('--level <level>', 'reports: what one row stands for');
  callFlags(throughConnection(listFlags(ads))).action(async (object, method, id, flags) =>
    (await import('./commands/call.ts')).callAds(object, method, id, flags),
  );

  const report = call
    .command('report')
    .description('the same as `call ads report list`; rows are printed as they come with -o ndjson')
    .option('--level <level>', 'what one row stands for');
  callFlags(throughConnection(listFlags(report))).action(async (flags) =>
    (await import('./commands/call.ts')).callAds('report', 'list', undefined, flags),
  );

  const passthrough = call
    .command('passthrough')
    .description('the platform’s own API; its answer is printed unchanged')
    .argument('<method>', 'GET, POST, PUT, PATCH or DELETE')
    .argument('<path>', 'path at the platform, with its query');
  callFlags(throughConnection(passthrough)).action(async (method, path, flags) =>
    (await import('./commands/call.ts')).callPassthrough(method, path, flags),
  );

  for (const [name, methods, about] of [
    ['connections', ['list', 'get', 'create', 'update', 'remove'], 'authorizations of end customers'],
    ['integrations', ['list'], 'platforms as the workspace sees them'],
    ['apicalls', ['list', 'get'], 'the call log'],
    ['events', ['list'], 'what happened to connections and integrations'],
    ['quotas', ['list'], 'the platforms’ quotas as this node counts them'],
  ] as const) {
    const command = call
      .command(name)
      .description(about)
      .addArgument(new Argument('[method]').choices(methods).default('list'))
      .argument('[id]')
      .option('--env <environment>', 'environment')
      .option('--limit <n>', 'how many')
      .option('--offset <n>', 'rows to skip')
      .option('--order <direction>', 'asc or desc');
    callFlags(command).action(async (method, id, flags) =>
      (await import('./commands/call.ts')).callCollection(name, method, id, flags),
    );
  }
}

function addSimulator(program: Command): void {
  const simulator = program
    .command('simulator')
    .description('clock, faults, data and request log of running simulators')
    .addHelpText(
      'after',
      examples(
        'simulator list',
        'simulator clock advance 1d12h',
        'simulator fault add rate_limited --path /campaign/get --times 3',
        'simulator log --follow',
        'simulator seed volume --ads 25000',
        'simulator settings limits=off token_model=guide',
      ),
    );
  const target = (command: Command): Command =>
    withOutput(command)
      .option('--url <url>', 'address of the simulator (POLYAD_SIMULATOR_URL; default: those of the demo)')
      .option('--simulator <id>', 'which one, where several run')
      .option('--data-dir <folder>', 'where demo.json is looked for (POLYAD_DATA_DIR)');
  const load = () => import('./commands/simulator.ts');

  target(simulator.command('list').description('simulators and what they hold')).action(async (flags) =>
    (await load()).list(flags),
  );

  const clock = simulator.command('clock').description('the virtual clock');
  target(clock.command('get', { isDefault: true }).description('the virtual time')).action(async (flags) =>
    (await load()).clock.get(flags),
  );
  target(clock.command('advance').description('jump').argument('<time>', 'like 90d, 36h, 1d12h, 500ms')).action(
    async (by, flags) => (await load()).clock.advance(by, flags),
  );
  target(clock.command('set').description('set the time').argument('<instant>', 'ISO 8601')).action(async (at, flags) =>
    (await load()).clock.set(at, flags),
  );
  target(clock.command('freeze').description('stop the flow of time').option('--off', 'let it run again')).action(
    async (flags) => (await load()).clock.freeze(flags),
  );
  target(clock.command('reset').description('back to the machine’s time')).action(async (flags) =>
    (await load()).clock.reset(flags),
  );

  const fault = simulator.command('fault').description('fault switches');
  target(
    fault
      .command('add')
      .description('switch a fault on')
      .argument(
        '<kind>',
        'latency, rate_limited, server_error, html_gateway, drop_before, drop_after, truncate, revoked or stale_reads',
      )
      .option('--path <text>', 'requests whose path holds this')
      .option('--method <method>', 'requests of this method')
      .option('--rate <part>', 'part of the requests, 0 to 1')
      .option('--times <n>', 'so many requests, then it is off again')
      .option('--ms <time>', 'latency: how long; stale_reads: how old'),
  ).action(async (kind, flags) => (await load()).fault.add(kind, flags));
  target(fault.command('list', { isDefault: true }).description('what is switched on')).action(async (flags) =>
    (await load()).fault.list(flags),
  );
  target(fault.command('remove').description('switch one off').argument('<id>')).action(async (id, flags) =>
    (await load()).fault.remove(id, flags),
  );
  target(fault.command('clear').description('switch all off')).action(async (flags) =>
    (await load()).fault.clear(flags),
  );

  target(
    simulator
      .command('log')
      .description('requests that the simulator answered')
      .option('-f, --follow', 'go on showing new ones')
      .option('--path <text>', 'those whose path holds this')
      .option('--method <method>', 'those of this method')
      .option('--limit <n>', 'the last so many', '50')
      .option('--clear', 'empty the log'),
  ).action(async (flags) => (await load()).log(flags));

  target(
    simulator
      .command('seed')
      .description('make data: `volume` (many ads with delivery) or `accounts`')
      .argument('<what>', 'volume or accounts')
      .option('--ads <n>', 'volume: ads (default 25000)')
      .option('--advertiser <id>', 'volume: in this ad account')
      .option('--days <n>', 'volume: days of delivery behind them')
      .option('--accounts <n>', 'accounts: how many (default 10)')
      .option('--set <name=value>', 'any other member of the seed; may be repeated', collect),
  ).action(async (what, flags) => (await load()).seed(what, flags));
  target(simulator.command('reset').description('everything as at the first start')).action(async (flags) =>
    (await load()).reset(flags),
  );
  target(
    simulator
      .command('settings')
      .description('show or change switches')
      .argument('[name=value...]', 'such as limits=off'),
  ).action(async (pairs, flags) => (await load()).settings(pairs, flags));
  target(
    simulator
      .command('control')
      .description('any call of the control API; without arguments the list of its routes')
      .addArgument(new Argument('[method]').default('GET'))
      .addArgument(new Argument('[path]').default('/'))
      .option('-d, --data <json>', 'body: JSON, @file, or - for stdin'),
  ).action(async (method, path, flags) => (await load()).raw(method, path, flags));
}

function addConversions(program: Command): void {
  const conversions = program
    .command('conversions')
    .description('conversion events: what became of them')
    .addHelpText(
      'after',
      examples(
        'conversions status',
        'conversions export --state refused --format csv --file refused.csv',
        'conversions replay 66f1c0a2b3d4e5f60718293a --reason conversion_refused',
      ),
    );
  const load = () => import('./commands/conversions.ts');
  withTarget(
    withOutput(
      conversions
        .command('status', { isDefault: true })
        .description('destinations, whether they work, and how many events are in each state')
        .argument('[destination]', 'id of one')
        .option('-c, --connection <id>', 'those of this connection'),
    ),
  ).action(async (id, flags) => (await load()).status(id, flags));
  withTarget(
    conversions
      .command('export')
      .description('the fate of every event, oldest first; holds no personal data')
      .option('--file <path>', 'write to a file instead of stdout')
      .addOption(new Option('--format <format>', 'default: ndjson').choices(['ndjson', 'csv']))
      .option('--destination <id>', 'events of this destination')
      .option('--state <state>', 'waiting, accepted, refused, withheld or expired')
      .option('--since <instant>', 'events that came in at or after this instant, ISO 8601')
      .option('--until <instant>', 'events that came in before this instant'),
  ).action(async (flags) => (await load()).exportFates(flags));
  withTarget(
    withOutput(
      conversions
        .command('replay')
        .description('send refused events of a destination again, as they were')
        .argument('<destination>', 'its id')
        .option('--event <name>', 'events of this name, as it is at the platform')
        .option('--reason <code>', 'events with this reason')
        .option('--id <id>', 'this event; may be repeated', collect),
    ),
  ).action(async (destination, flags) => (await load()).replay(destination, flags));
}
