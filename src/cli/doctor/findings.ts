/** What a check found, and what to do about it. */
export type Severity = 'ok' | 'note' | 'warning' | 'error';

export interface Finding {
  /** What was checked: `master key`. */
  check: string;
  severity: Severity;
  /** What is the case. */
  text: string;
  /** What to do; absent where nothing needs doing. */
  fix?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, severity: 'ok', text });
export const note = (check: string, text: string, fix?: string): Finding => finding('note', check, text, fix);
export const warning = (check: string, text: string, fix: string): Finding => finding('warning', check, text, fix);
export const failure = (check: string, text: string, fix: string): Finding => finding('error', check, text, fix);

const finding = (severity: Severity, check: string, text: string, fix: string | undefined): Finding => ({
  check,
  severity,
  text,
  ...(fix === undefined ? {} : { fix }),
});
