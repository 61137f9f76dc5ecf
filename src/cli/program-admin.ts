/** Commands of administration as commander has them: keys, audit log, vault, app review, doctor. What they do is in `commands/`. */
import { Argument, type Command, Option } from 'commander';
import { collect, withOutput, withTarget } from './flags.ts';

/** A paragraph of help below the flags. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ polyad ${line}`).join('\n')}`;

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('API keys')
    .addHelpText(
      'after',
      examples(
        'keys create --name backend --scopes read,write',
        'keys list',
        'keys create --name reporting --scopes read --connections 6b02ea2f3b87c550cdd520b1',
        'keys rotate 6b02ea2f3b87c550cdd520a6 --overlap 7d',
        'keys revoke 6b02ea2f3b87c550cdd520a6',
        'keys bootstrap',
      ),
    );
  const load = () => import('./commands/keys.ts');
  const workspace = new Option('--workspace <id>', 'another workspace than the key’s own (needs the scope operator)');
  const made = (command: Command): Command =>
    command
      .option('--name <name>', 'name for people')
      .option('--scopes <list>', 'of read, write, spend, admin, operator; joined by commas');

  withTarget(
    withOutput(made(keys.command('create').description('make a key; it is shown once')))
      .option('--expires <instant>', 'when it stops working, ISO 8601')
      .option('--connections <ids>', 'the connections it may use, joined by commas; default: all')
      .addOption(workspace),
  ).action(async (flags) => (await load()).create(flags));
  withTarget(withOutput(keys.command('list').description('keys, revoked ones included').addOption(workspace))).action(
    async (flags) => (await load()).list(flags),
  );
  withTarget(
    withOutput(
      keys
        .command('rotate')
        .description('a new key that may do the same; the old one works on for a while')
        .argument('<id>')
        .option('--overlap <time>', 'how long the old key still works: 0, 30m, 24h, 7d', '24h')
        .option('--expires <instant>', 'when the new key stops working, ISO 8601')
        .addOption(workspace),
    ),
  ).action(async (id, flags) => (await load()).rotate(id, flags));
  withTarget(
    withOutput(
      keys.command('revoke').description('revoke a key at once and for good').argument('<id>').addOption(workspace),
    ),
  ).action(async (id, flags) => (await load()).revoke(id, flags));
  withOutput(
    made(
      keys
        .command('bootstrap')
        .description(
          'make a workspace and its first key in the database itself (the embedded one: with the server stopped); says what is there where there is a key already',
        )
        .option('--workspace-name <name>', 'name of the new workspace; customers see it')
        .option('--workspace <id>', 'a key for this workspace instead of a new one')
        .option('--another', 'make one although there is a key already')
        .option('--data-dir <folder>', 'folder of the embedded database (POLYAD_DATA_DIR)'),
    ),
  ).action(async (flags) => (await load()).bootstrap(flags));
}

export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('the log of who did what')
    .addHelpText(
      'after',
      examples('audit export --file audit.ndjson', 'audit verify', 'audit verify --file audit.ndjson'),
    );
  const load = () => import('./commands/audit.ts');
  const workspace = new Option('--workspace <id>', 'another workspace than the key’s own (needs the scope operator)');
  withTarget(
    audit
      .command('export')
      .description('all rows as lines of JSON, oldest first; the head goes to stderr: note it elsewhere')
      .option('--file <path>', 'write to a file instead of stdout')
      .option('--after <number>', 'rows after this number: takes an export up again')
      .option('--since <instant>', 'rows at or after this instant, ISO 8601')
      .option('--until <instant>', 'rows before this instant, ISO 8601')
      .option('--action <name>', 'rows of this action')
      .option('-c, --connection <id>', 'rows about this connection')
      .addOption(workspace),
  ).action(async (flags) => (await load()).exportLog(flags));
  withTarget(
    withOutput(
      audit
        .command('verify')
        .description('compute every hash again; exits with 1 when a row was changed, left out, or put in')
        .option('--file <path>', 'an export, without a server')
        .option('--head <number:hash>', 'a head that was noted before')
        .addOption(workspace),
    ),
  ).action(async (flags) => (await load()).verify(flags));
}

export function addVault(program: Command): void {
  const vault = program
    .command('vault')
    .description('master keys, and where secrets lie')
    .addHelpText(
      'after',
      `
Works on the database itself; while a server holds the embedded database, the server is asked (with a key that has the
scope operator). Every job goes on beside requests, can be stopped, and goes on where it was.
${examples('vault status', 'vault rotate', 'vault rotate --new-key', 'vault rotate --stop', 'vault migrate --to aws')}`,
    );
  const load = () => import('./commands/vault.ts');
  withTarget(withOutput(vault.command('status', { isDefault: true }).description('keys, stores and jobs'))).action(
    async (flags) => (await load()).status(flags),
  );
  withTarget(
    withOutput(
      vault
        .command('rotate')
        .description('wrap all data keys with the active master key, then retire keys that nothing needs')
        .option('--new-key', 'first make a new key in the key file (without POLYAD_MASTER_KEY)')
        .option('--reencrypt', 'then encrypt every secret afresh, with new data keys')
        .option('--stop', 'stop the rotation, wherever it runs'),
    ),
  ).action(async (flags) => (await load()).rotate(flags));
  withTarget(
    withOutput(
      vault
        .command('migrate')
        .description('move all secrets to the store that POLYAD_SECRETS names, each verified before it is switched')
        .option('--to <store>', 'vault, aws, azure or gcp')
        .option('--stop', 'stop the migration, wherever it runs'),
    ),
  ).action(async (flags) => (await load()).migrate(flags));
  withTarget(
    withOutput(
      vault
        .command('sweep')
        .description('destroy secrets of this installation in a manager that no record points at')
        .addArgument(new Argument('<store>').choices(['aws', 'azure', 'gcp'])),
    ),
  ).action(async (store, flags) => (await load()).sweep(store, flags));
}

export function addLaunch(program: Command): void {
  const command = program
    .command('launch')
    .description('the way to a platform’s production access: checklist, dossier for the reviewer, the move itself')
    .argument('<integration>', 'platform or type slug, such as tiktok')
    .option('--answer <key=value>', 'answer a question of the checklist; an empty value takes it back', collect)
    .option('--answers <json>', 'answers as JSON: an object, @file, or - for stdin')
    .option('--dossier <file>', 'write the dossier: .pdf or .html')
    .option('--submitted [note]', 'note that the review was asked for, as everything stands now')
    .option('--approved <submission>', 'note that the review ended well')
    .option('--refused <submission>', 'note that it did not')
    .option('--to-production', 'store the app for production and make production the default; needs --data')
    .option('-d, --data <json>', 'id and secret of the app: @file, or - for stdin')
    .option('--anyway', 'go to production although something would fail the review')
    .addHelpText(
      'after',
      examples(
        'launch tiktok',
        'launch tiktok --answer app.privacy_policy=https://acme.example/privacy',
        'launch tiktok --dossier dossier.pdf',
        'launch tiktok --submitted "first submission"',
        'launch tiktok --to-production --data @app.json',
      ),
    );
  withTarget(withOutput(command)).action(async (type, flags) =>
    (await import('./commands/launch.ts')).launch(type, flags),
  );
}

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check the set-up, with the server up or down, and say what to fix')
    .option('--online', 'also ask the platforms’ own hosts whether they answer and what time it is there')
    .addHelpText('after', '\nExits with 1 when it finds errors.');
  withTarget(withOutput(command)).action(async (flags) => (await import('./commands/doctor.ts')).doctor(flags));
}
