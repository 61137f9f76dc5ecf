/**
 * `npm run new-platform <id> [Name]`: copies the template platform and its facts for the conformance suite, with the
 * names put in. The result compiles, is found by the registry, and fails the conformance suite until it has a simulator.
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The id and name that the template is written with. */
const TEMPLATE = { id: 'acme', name: 'Acme' };
/** Lower case, as folder, variable (POLYAD_<ID>_…) and type slug need it. */
const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Copies the template below `root`. Answers the files made; throws an Error that says what is wrong with the names. */
export function newPlatform(root: string, id: string, name: string): string[] {
  if (!ID.test(id))
    throw new Error(`"${id}" is no id: lower-case letters, digits and single hyphens, such as acme or snap-ads`);
  if (name.trim() === '' || /['`\\$]/.test(name)) throw new Error(`"${name}" is no name`);
  const folder = join('src/platforms', id);
  const facts = join('test/conformance/platforms', `${id}.ts`);
  for (const path of [folder, facts]) if (existsSync(join(root, path))) throw new Error(`${path} is there already`);

  cpSync(join(root, 'src/platforms/_template'), join(root, folder), { recursive: true });
  cpSync(join(root, 'test/conformance/platforms/_template.ts'), join(root, facts));
  const made = [...readdirSync(join(root, folder)).map((file) => join(folder, file)), facts];
  for (const path of made) {
    const text = readFileSync(join(root, path), 'utf8')
      .replaceAll(`${TEMPLATE.id}ads`, `${id.replaceAll('-', '')}ads`)
      .replaceAll(TEMPLATE.id, id)
      .replaceAll(TEMPLATE.name, name);
    writeFileSync(join(root, path), text);
  }
  return made;
}

if (import.meta.main) {
  const [id, name] = process.argv.slice(2);
  if (id === undefined) {
    console.error('Usage: npm run new-platform <id> [Name]     for example: npm run new-platform snapchat Snapchat');
    process.exit(2);
  }
  try {
    const made = newPlatform(
      fileURLToPath(new URL('..', import.meta.url)),
      id,
      name ?? `${id[0]?.toUpperCase()}${id.slice(1)}`,
    );
    console.log(`Made:\n${made.map((path) => `  ${path}`).join('\n')}

Next (CONTRIBUTING.md has the whole list):
  1. Put the platform's facts into manifest.ts and auth.ts, each with its source.
  2. Write the simulator in src/simulators/${id} from the platform's documents; src/simulators/kit/README.md helps.
  3. npm test -- test/conformance     fails case by case; when it is green, the platform is done.`);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
