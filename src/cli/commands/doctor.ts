/** `polyad doctor`: checks the set-up, with the server up or down, and says what to fix. */
import { readConfig } from '../../app/config-file.ts';
import type { Config } from '../../core/config.ts';
import { loadPlatforms } from '../../core/connector/registry.ts';
import { asPolyadError } from '../../core/errors/index.ts';
import { findTarget, type TargetFlags } from '../client.ts';
import { type Finding, failure, ok } from '../doctor/findings.ts';
import { checkDataDirectory, checkLock, checkMasterKey, checkNode, checkPublicUrl } from '../doctor/machine.ts';
import {
  checkDatabase,
  checkPlatformClocks,
  checkServer,
  checkSimulators,
  checkVersions,
  judgeApps,
  servedApps,
  storedApps,
} from '../doctor/service.ts';
import { EXIT } from '../errors.ts';
import { print, readFormat } from '../output.ts';
import { stdoutStyle, withProgress } from '../terminal.ts';

export interface DoctorFlags extends TargetFlags {
  output?: string;
  /** Also asks the platforms' own hosts. */
  online?: boolean;
}

export async function doctor(flags: DoctorFlags): Promise<void> {
  const format = flags.output === undefined ? undefined : readFormat(flags.output);
  const findings = await withProgress('checking', () => examine(flags));
  if (format === undefined) process.stdout.write(report(findings));
  else print(findings, format, format === 'table' ? ['check', 'severity', 'text', 'fix'] : undefined);
  if (findings.some((one) => one.severity === 'error')) process.exitCode = EXIT.failed;
}

async function examine(flags: DoctorFlags): Promise<Finding[]> {
  const findings = [checkNode()];
  let config: Config;
  try {
    config = await readConfig(process.env, { POLYAD_DATA_DIR: flags.dataDir });
    findings.push(ok('configuration', 'Variables and file are valid.'));
  } catch (thrown) {
    const error = asPolyadError(thrown);
    const issues = (error.details?.['issues'] ?? []) as { variable: string; problem: string; fix?: string }[];
    return [
      ...findings,
      ...issues.map(({ variable, problem, fix }) =>
        failure('configuration', `${variable}: ${problem}.`, fix ?? error.fix),
      ),
      ...(issues.length === 0 ? [failure('configuration', error.message, error.fix)] : []),
    ];
  }
  const target = await findTarget(flags);
  const registry = await loadPlatforms(new URL('../../platforms/', import.meta.url));
  const lock = checkLock(config);
  findings.push(
    checkDataDirectory(config),
    checkMasterKey(config),
    checkPublicUrl(config, process.env['NODE_ENV'] === 'production', target.url),
    lock.finding,
  );

  const { up, findings: ofServer } = await checkServer(target);
  findings.push(...ofServer);
  const publicUrl = config.publicUrl ?? target.url;
  if (up) {
    const apps = await servedApps(target, registry);
    findings.push(...(Array.isArray(apps) ? judgeApps(apps, registry, publicUrl) : [apps]));
  } else if (lock.held)
    findings.push(
      failure(
        'database',
        'Another process holds the data directory, yet no server answers.',
        'If it is a server on another address, name it with --server; else stop the process of the lock.',
      ),
    );
  else if (findings.every((one) => one.severity !== 'error'))
    findings.push(
      ...(await checkDatabase(config, async (store) => judgeApps(await storedApps(store), registry, publicUrl))),
    );
  findings.push(...checkVersions(registry, new Date()), ...(await checkSimulators(target, config, up)));
  if (flags.online === true) findings.push(...(await checkPlatformClocks(registry)));
  return findings;
}

function report(findings: readonly Finding[]): string {
  const style = stdoutStyle();
  const marks = { ok: style.green('✓'), note: style.cyan('·'), warning: style.yellow('!'), error: style.red('✗') };
  const width = Math.max(...findings.map((one) => one.check.length));
  const lines = findings.flatMap(({ check, severity, text, fix }) => [
    `${marks[severity]} ${style.bold(check.padEnd(width))}  ${text}`,
    ...(fix === undefined ? [] : [`  ${' '.repeat(width)}  ${style.dim('→')} ${fix}`]),
  ]);
  const count = (severity: Finding['severity']): number => findings.filter((one) => one.severity === severity).length;
  return `${lines.join('\n')}\n\n${count('error')} errors, ${count('warning')} warnings\n`;
}
