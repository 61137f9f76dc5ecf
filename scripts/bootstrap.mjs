/**
 * Makes a fresh clone runnable: installs what is missing and picks the Node that runs it. Runs on Node 20 and newer, so
 * it uses nothing that came later. Everything it says goes to stderr: stdout belongs to the command that follows.
 *
 * It leaves `node_modules/.bin/polyad-node`, a link to the chosen Node, which every npm script then uses.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.polyad-installed');
const link = join(modules, '.bin', 'polyad-node');
/** First Node that runs TypeScript sources directly without a flag. */
const OLDEST = [22, 18];

const say = (text) => process.stderr.write(`polyad: ${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

/** Installed state = lock file + platform: a changed lock file or another machine installs again. */
function wanted() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}`;
}

function npm(args) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]];
  // npm's own words go to stderr: fd 2 stands in for its stdout.
  const { status, error } = spawnSync(command, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // The environment of the outer `npm start -- --json` would make the inner npm print JSON or skip dev packages.
    env: {
      ...process.env,
      npm_config_json: 'false',
      npm_config_omit: '',
      npm_config_include: 'dev,optional',
      NODE_ENV: '',
    },
  });
  if (error !== undefined) fail(`npm could not be started: ${error.message}`);
  return status === 0;
}

/** [major, minor] of a Node binary, or undefined when it does not run. */
function versionOf(binary) {
  try {
    const text = execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.trim().slice(1).split('.').map(Number);
  } catch {
    return undefined;
  }
}

const newEnough = (version) =>
  version !== undefined && (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1]));

function chooseNode() {
  const packaged = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (newEnough(versionOf(packaged))) return packaged;
  // The `node` package fetches the binary's package in its install script; where scripts are not allowed, ask once more.
  const script = join(modules, 'node', 'installArchSpecificPackage.js');
  if (existsSync(script)) {
    spawnSync(process.execPath, [script], { cwd: join(modules, 'node'), stdio: ['ignore', 2, 2] });
    if (newEnough(versionOf(packaged))) return packaged;
  }
  if (newEnough(versionOf(process.execPath))) {
    say(`the packaged Node is not available (its install script was not allowed to run); using ${process.execPath}`);
    return process.execPath;
  }
  return fail(
    `Node ${OLDEST.join('.')} or newer is needed. The packaged one could not be installed (are npm install scripts ` +
      `disabled?) and this machine has ${process.version}. Allow the install script of the package "node" ` +
      '(npm install-scripts approve node, then npm rebuild node), or install a newer Node.',
  );
}

const target = wanted();
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (installed !== target || !existsSync(link)) {
  if (installed !== target) {
    say('installing packages (first start or changed lock file; about a minute) ...');
    // `ci` begins by removing what is there, so it is for the first time; later changes are applied on top.
    if (!npm([existsSync(modules) ? 'install' : 'ci', '--no-audit', '--no-fund', '--loglevel=error']))
      fail('npm could not install the packages; its messages are above. Check the network and run the command again.');
  }
  const node = chooseNode();
  mkdirSync(join(modules, '.bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(node, link);
  writeFileSync(stamp, target);
}
