/** The manifests in deploy/ must fit the program: variables that exist, paths that are served, time to stop. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig, VARIABLES } from '../../src/core/config.ts';
import { KEEP_ALIVE_MS } from '../../src/server/app.ts';
import { HEALTH_OPERATIONS } from '../../src/server/routes/health.ts';
import { STOP_DEADLINE_MS } from '../../src/server/shutdown.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests of many shapes; each test says what it expects.
type Any = any;

const read = (name: string): string => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
const known = (name: string): boolean => name in VARIABLES;
const served = new Set(HEALTH_OPERATIONS.map(({ path }) => path));
const KEY = Buffer.alloc(32, 1).toString('base64');

describe('deploy/compose.yaml', () => {
  const { services, configs } = parse(read('compose.yaml'), { merge: true }) as Any;
  const nodes = Object.keys(services).filter((name) => services[name].image === 'polyad');
  const apis = nodes.filter((name) => services[name].environment.POLYAD_ROLE === 'api');

  it('sets variables that exist, to values that are accepted', () => {
    expect(nodes).toEqual(['api-1', 'api-2', 'api-3', 'worker']);
    for (const name of nodes) {
      const environment = services[name].environment as Record<string, string>;
      expect(Object.keys(environment).filter((one) => !known(one))).toEqual([]);
      const given = Object.fromEntries(
        Object.entries(environment).map(([variable, value]) => [
          variable,
          value
            .replace(/\$\{POLYAD_MASTER_KEY:\?[^}]*\}/, KEY)
            .replace(/\$\{[A-Z_]+:\?[^}]*\}/, 'x')
            .replace(/\$\{[A-Z_]+:-([^}]*)\}/, '$1'),
        ]),
      );
      const config = loadConfig({ NODE_ENV: 'production', ...given });
      expect(config).toMatchObject({ role: name.replace(/-\d$/, ''), simulators: false });
      expect(Number.parseInt(services[name].stop_grace_period, 10) * 1000).toBeGreaterThan(
        config.drainMs + STOP_DEADLINE_MS,
      );
    }
  });

  it('asks a path that is served', () => {
    const [, path] = /127\.0\.0\.1:3000(\/\w+)/.exec(services.worker.healthcheck.test.join(' ')) as RegExpExecArray;
    expect(served).toContain(path);
  });

  it('has a proxy that sends requests to every API node, and judges nodes by nothing but /readyz', () => {
    const caddyfile = configs.caddyfile.content as string;
    const [, upstreams = ''] = /reverse_proxy ([^{\n]+) \{/.exec(caddyfile) as RegExpExecArray;
    expect(upstreams.split(' ')).toEqual(apis.map((name) => `${name}:3000`));
    expect(Object.keys(services.proxy.depends_on)).toEqual(apis);
    // Statuses of pass-through answers are the platform's: who counts them lets one tenant take the nodes from the others.
    expect(caddyfile).not.toMatch(/unhealthy_status|max_fails|fail_duration/);
    const [, path = ''] = /health_uri (\S+)/.exec(caddyfile) as RegExpExecArray;
    expect([...served]).toContain(path);
    const seconds = (name: string): number =>
      Number(new RegExp(`\\b${name} (\\d+)s`).exec(caddyfile)?.[1] ?? Number.NaN);
    const drain = Number(services['api-1'].environment.POLYAD_DRAIN_SECONDS);
    expect(seconds('health_interval') + seconds('health_timeout')).toBeLessThan(drain);
    expect(seconds('keepalive') * 1000).toBeLessThan(KEEP_ALIVE_MS);
  });
});

describe('deploy/kubernetes.yaml', () => {
  const documents = parseAllDocuments(read('kubernetes.yaml')).map((one) => one.toJS() as Any);
  const of = (kind: string): Any[] => documents.filter((one) => one.kind === kind);

  it('sets variables that exist, and gives a node the time it takes to stop', () => {
    const [{ data }] = of('ConfigMap') as [Any];
    expect(Object.keys(data).filter((one) => !known(one))).toEqual([]);
    for (const { spec } of of('Deployment')) {
      const [container] = spec.template.spec.containers;
      const own = Object.fromEntries(container.env.map(({ name, value }: Any) => [name, value]));
      const config = loadConfig({
        ...data,
        ...own,
        DATABASE_URL: 'postgres://x@y/z',
        REDIS_URL: 'rediss://x',
        POLYAD_MASTER_KEY: KEY,
      });
      expect(spec.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
        config.drainMs + STOP_DEADLINE_MS,
      );
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
        expect(served).toContain(container[probe].httpGet.path);
      expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    }
  });

  it('keeps all nodes until new ones are ready, and takes no more connections than PostgreSQL gives by default', () => {
    const api = of('Deployment').find(({ metadata }) => metadata.name === 'polyad-api');
    expect(api.spec.strategy.rollingUpdate).toMatchObject({ maxUnavailable: 0 });
    const workers = of('Deployment').find(({ metadata }) => metadata.name === 'polyad-worker').spec.replicas;
    // One more while a rollout goes on.
    const nodes = of('HorizontalPodAutoscaler')[0].spec.maxReplicas + 1 + workers;
    expect(nodes * 11).toBeLessThanOrEqual(97);
  });
});

describe('deploy/Dockerfile', () => {
  it('starts as `npm start` does', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Any;
    const [, flags] = /polyad-node (.*) src\/cli\/main\.ts start/.exec(scripts.start) as RegExpExecArray;
    const quoted = (flags as string).split(' ').map((flag) => `"${flag}"`);
    expect(read('Dockerfile')).toContain(`${quoted.join(', ')}, "src/cli/main.ts", "start"`);
    const memory = scripts.start.match(/MALLOC_[A-Z_]+=\d+/g) as string[];
    for (const setting of memory) expect(read('Dockerfile')).toContain(setting);
    // The other ways to start it: the command of the package, and what the benchmarks measure.
    for (const other of ['../../bin/polyad.mjs', '../../bench/support/processes.ts']) {
      const text = readFileSync(new URL(other, import.meta.url), 'utf8');
      for (const flag of (flags as string).split(' ')) expect(text).toContain(`'${flag}'`);
      for (const setting of memory) expect(text).toContain(setting.replace(/=(.*)/, ": '$1'"));
    }
    expect(read('Dockerfile')).toContain('NODE_COMPILE_CACHE=/opt/polyad/node_modules/.cache/polyad');
  });
});
