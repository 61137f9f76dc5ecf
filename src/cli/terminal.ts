/** Colours and progress, where there is a terminal to show them. */
import pico from 'picocolors';

const plain = pico.createColors(false);
const coloured = pico.createColors(true);

const wanted = (stream: NodeJS.WriteStream): boolean =>
  process.env['NO_COLOR'] === undefined && (stream.isTTY === true || process.env['FORCE_COLOR'] !== undefined);

/** Styles for stdout. */
export const stdoutStyle = (): typeof plain => (wanted(process.stdout) ? coloured : plain);
/** Styles for stderr. */
export const stderrStyle = (): typeof plain => (wanted(process.stderr) ? coloured : plain);

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** One line that says what goes on, with the seconds it has taken. Nothing at all where stderr is no terminal. */
export interface Progress {
  say(text: string): void;
  /** Removes the line. */
  end(): void;
}

export function progress(text: string): Progress {
  const stream = process.stderr;
  if (!stream.isTTY) return { say() {}, end() {} };
  const begun = Date.now();
  let words = text;
  let frame = 0;
  const draw = (): void => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    const line = `${FRAMES[frame++ % FRAMES.length]} ${words}${seconds > 1 ? ` (${seconds} s)` : ''}`;
    stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  draw();
  const timer = setInterval(draw, 100);
  timer.unref();
  return {
    say(next) {
      words = next;
    },
    end() {
      clearInterval(timer);
      stream.write('\r\x1b[2K');
    },
  };
}

/** Runs `work` with a progress line. */
export async function withProgress<T>(text: string, work: (line: Progress) => Promise<T>): Promise<T> {
  const line = progress(text);
  try {
    return await work(line);
  } finally {
    line.end();
  }
}
