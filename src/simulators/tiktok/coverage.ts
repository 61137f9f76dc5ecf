/** Which documented paths the simulator carries out: from the tables that the dispatcher itself goes by. */
import { scopeName } from './auth.ts';
import { CATALOGUE } from './catalogue-table.ts';
import { endpoints } from './endpoints/index.ts';

/** One documented path. */
export interface CoverageRow {
  /** First part of the path. */
  family: string;
  /** `GET`, `POST`, or both where the sources give the path alone. */
  methods: readonly ('GET' | 'POST')[];
  /** Without `/open_api/v1.3/` and slashes at its ends. */
  path: string;
  /** `carried out`: by its documented rules, with state. `refused`: 40001, as an app without the permission is told. */
  answer: 'carried out' | 'refused';
  /** Also on the sandbox host. */
  sandbox: boolean;
  /** Names of the permissions of which one is needed. */
  permissions: readonly string[];
}

/** Every documented path, by family and path. */
export function coverage(): CoverageRow[] {
  const made = new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
  const rows = new Map<string, CoverageRow>();
  for (const [method, path, scopes] of CATALOGUE) {
    const both = ['GET', 'POST'] as const;
    const own = both.filter((one) => made.has(`${one} ${path}`));
    const methods = own.length > 0 ? own : both.filter((one) => method === '*' || method === one);
    rows.set(path, {
      family: path.split('/')[0]!,
      methods,
      path,
      answer: own.length > 0 ? 'carried out' : 'refused',
      sandbox: own.some((one) => made.get(`${one} ${path}`)?.sandbox === true),
      permissions: scopes.map((id) => scopeName.get(id) ?? id),
    });
  }
  // What the catalogue does not list: older names that clients still use.
  for (const { path, method, sandbox } of endpoints) {
    if (rows.has(path)) continue;
    rows.set(path, {
      family: path.split('/')[0]!,
      methods: [method],
      path,
      answer: 'carried out',
      sandbox: sandbox === true,
      permissions: [],
    });
  }
  return [...rows.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
