#!/usr/bin/env node
/** The command line of polyad. Each command loads what it needs when it runs, so that `--help` is instant. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { redactAnswer } from '../core/http/redact.ts';
import { keepMemoryOutOfCoreDumps } from './core-dumps.ts';
import { asCliError, EXIT, errorText } from './errors.ts';
import { chosen } from './output.ts';
import { buildProgram } from './program.ts';
import { stderrStyle } from './terminal.ts';

// Reading the sources is half the work of a start; what it gave is kept for the next one. In a folder of our own: what
// lies in a shared one for temporary files may be another user's. Where it cannot be written, nothing is kept. `npm start`
// names the folder before Node starts, so that not even this file has to be read anew, which would take a compiler of its
// own in memory; here it is named for whoever starts this file itself, and for the threads, which read the variable.
const compiled = fileURLToPath(new URL('../../node_modules/.cache/polyad', import.meta.url));
enableCompileCache(compiled);
process.env['NODE_COMPILE_CACHE'] ??= compiled;
keepMemoryOutOfCoreDumps();
// Whoever reads the output may have read enough: `polyad … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    // commander has already written help, version, or what is wrong with the arguments.
    process.exitCode = thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const error = asCliError(thrown);
    process.stderr.write(
      redactAnswer(
        chosen.format === undefined || chosen.format === 'table'
          ? errorText(error, stderrStyle().bold)
          : `${JSON.stringify(error.body ?? { code: error.code, message: error.message, fix: error.fix })}\n`,
      ),
    );
    process.exitCode = error.exitCode;
    // Parts that a failed start left behind must not keep the process alive.
    setTimeout(() => process.exit(error.exitCode), 2000).unref();
  }
}
