/** The process's log: one JSON object per line on stderr, secrets replaced. stdout belongs to what commands answer. */
import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import type { Config } from '../core/config.ts';
import { PINO_REDACT, redactText } from '../core/http/redact.ts';

export interface Log extends Logger {
  /** Writes what is still in memory, at once: for the moment before the process ends. */
  finish(): void;
}

/** Makes a logger. Lines are written behind the caller's back, so that a slow terminal holds up no request. */
export function createLog(level: Config['logLevel']): Log {
  const stderr = destination({ dest: 2, sync: false });
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      redact: PINO_REDACT,
      serializers: { err: stdSerializers.errWithCause },
      // Whatever a line is made of, this is what is written.
      hooks: { streamWrite: redactText },
    },
    stderr as DestinationStream,
  ) as unknown as Log;
  log.finish = () => {
    try {
      stderr.flushSync();
    } catch {
      // Nobody reads stderr any more.
    }
  };
  return log;
}
