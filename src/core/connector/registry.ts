/** The platforms of this build: whatever folders lie under `platforms/`. Deleting a folder removes its platform. */
import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { PolyadError } from '../errors/index.ts';
import { type CompiledFields, compileFields } from './fields.ts';
import type { ObjectName, Platform } from './types.ts';

export class PlatformRegistry {
  readonly #byType = new Map<string, Platform>();
  readonly #all: readonly Platform[];
  readonly #fields = new Map<string, CompiledFields>();

  constructor(platforms: readonly Platform[]) {
    this.#all = [...platforms].sort((a, b) => a.manifest.name.localeCompare(b.manifest.name));
    for (const platform of platforms) {
      const { type, id, typeAliases = [] } = platform.manifest;
      for (const name of new Set([type, id, ...typeAliases])) {
        if (this.#byType.has(name)) throw new Error(`two platforms are called ${name}`);
        this.#byType.set(name, platform);
      }
      for (const [object, spec] of Object.entries(platform.objects))
        this.#fields.set(`${type}/${object}`, compileFields(spec.fields));
    }
  }

  all(): readonly Platform[] {
    return this.#all;
  }

  find(type: string): Platform | undefined {
    return this.#byType.get(type.toLowerCase());
  }

  /** By wire type, id or alias; throws `integration_not_found`. */
  get(type: string): Platform {
    const platform = this.find(type);
    if (platform === undefined)
      throw new PolyadError('integration_not_found', {
        message: `There is no integration \`${type}\`.`,
        details: { allowed: this.#all.map((known) => known.manifest.type) },
      });
    return platform;
  }

  /** The compiled field rules of one object. */
  fields(platform: Platform, object: ObjectName): CompiledFields {
    const compiled = this.#fields.get(`${platform.manifest.type}/${object}`);
    if (compiled === undefined) throw new PolyadError('method_unsupported');
    return compiled;
  }
}

/** Imports `<dir>/<id>/index.{ts,js}` of every folder that does not begin with `_`. */
export async function loadPlatforms(dir: URL): Promise<PlatformRegistry> {
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'));
  const platforms = await Promise.all(
    folders.map(async ({ name }) => {
      const files = await readdir(new URL(`${name}/`, dir));
      const index = files.find((file) => file === 'index.ts' || file === 'index.js');
      if (index === undefined) throw new Error(`platforms/${name} has no index file`);
      const module = (await import(pathToFileURL(new URL(`${name}/${index}`, dir).pathname).href)) as {
        default: Platform;
      };
      return module.default;
    }),
  );
  return new PlatformRegistry(platforms);
}
