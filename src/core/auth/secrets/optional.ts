import { PolyadError } from '../../errors/index.ts';

/**
 * Loads an official client that is an optional dependency. The specifier is written out at the caller (`() =>
 * import('…')`), so that types and bundlers see it.
 *
 * @throws PolyadError `package_missing` naming the package, what wants it, and the command that installs it.
 */
export async function loadOptional<T>(name: string, wantedBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    // The package may be there and miss one of its own; the message then names that one.
    const missing = /package '([^']+)'/.exec(message)?.[1] ?? name;
    throw new PolyadError('package_missing', {
      message: `${wantedBy} needs the package ${name}, which is not installed${missing === name ? '' : ` completely (${missing} is missing)`}. Run: npm install ${name}`,
      details: { package: name },
    });
  }
}
