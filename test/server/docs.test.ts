import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('generated documentation', () => {
  it('is what `npm run docs` writes', async () => {
    const script = fileURLToPath(new URL('../../scripts/generate-docs.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--check']).catch(
      (error: { stderr: string }) => ({ stdout: error.stderr }),
    );
    expect(stdout).toMatch(/^\d+ generated files are up to date\n$/);
  });
});
