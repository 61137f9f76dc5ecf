/** `polyad report` as commander has it; what the commands do is in `commands/report.ts`. */
import { Argument, type Command, Option } from 'commander';
import { collect, withOutput, withTarget } from './flags.ts';

/** Flags that are members of the report's query. */
const QUERY: readonly [flags: string, text: string][] = [
  ['--org-id <id>', 'ad account'],
  ['--start-gte <date>', 'first day, of the account’s time zone'],
  ['--end-lt <date>', 'day after the last'],
  ['--type <metrics>', 'metrics, joined by commas'],
  ['--dimension <names>', 'breakdowns, joined by commas'],
  ['--level <level>', 'organization, campaign, group or ad'],
  ['--campaign-id <ids>', 'only these campaigns'],
  ['--group-id <ids>', 'only these groups'],
  ['--ad-id <ids>', 'only these ads'],
  ['--fields <names>', 'members of the rows (ndjson)'],
];

/** Adds the commands to the program. */
export function addReport(program: Command, examples: (...lines: readonly string[]) => string): void {
  const load = () => import('./commands/report.ts');
  const report = program
    .command('report')
    .description('reports too large to wait for: made in the background, fetched as a file')
    .addHelpText(
      'after',
      examples(
        'report create --org-id 7001 --level ad --dimension DATE --start-gte 2026-01-01 --file ads.parquet --format parquet',
        'report list --state running',
        'report get 6b03156506a15f1b9fc58a5b --file ads.ndjson',
      ),
    );
  const create = report
    .command('create')
    .description('begin a job; with --file or --wait, wait for it')
    .option('-c, --connection <id>', 'default: the only one, or the demo’s')
    .option('--env <environment>', 'looks for the connection in this environment');
  for (const [flags, text] of QUERY) create.option(flags, text);
  create
    .option('-p, --param <name=value>', 'any other member of the query; may be repeated', collect)
    .addOption(new Option('--format <format>', 'form of the result').choices(['ndjson', 'csv', 'parquet']))
    .addOption(new Option('--route <route>', 'how rows are read').choices(['auto', 'tasks', 'calls']))
    .addOption(new Option('--priority <priority>', 'how urgent its calls are, backfill unless given'))
    .option('--no-cache', 'read every day again')
    .option('--wait', 'wait until it is done')
    .option('--file <path>', 'wait, and write the result here');
  withTarget(withOutput(create)).action(async (flags) => (await load()).create(flags));

  const id = new Argument('<id>', 'id of the job');
  const list = report
    .command('list')
    .description('the jobs, newest first')
    .option('--state <state>', 'waiting, running, done, failed or canceled')
    .option('-c, --connection <id>', 'of this connection')
    .option('--limit <number>', 'at most so many');
  withTarget(withOutput(list)).action(async (flags) => (await load()).show(undefined, flags));
  withTarget(withOutput(report.command('show').description('how far a job is').addArgument(id))).action(
    async (job, flags) => (await load()).show(job, flags),
  );
  withTarget(
    report
      .command('get')
      .description('wait for a job and write its result; a file that is there in part is completed')
      .addArgument(id)
      .option('--file <path>', 'write to a file instead of stdout'),
  ).action(async (job, flags) => (await load()).get(job, flags));
  withTarget(withOutput(report.command('cancel').description('stop a job').addArgument(id))).action(
    async (job, flags) => (await load()).cancel(job, flags),
  );
  withTarget(
    withOutput(report.command('remove').description('remove a job that is over, with its result').addArgument(id)),
  ).action(async (job, flags) => (await load()).remove(job, flags));
}
