/**
 * Looks for secrets in whatever a run has left behind. Shares no code with the redaction that it checks: it compares with
 * the secrets themselves, in every form in which they could have been written.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets by what they are. */
export type Canaries = ReadonlyMap<string, string>;

/** Something that was left behind. */
export interface Artefact {
  name: string;
  content: string | Buffer;
}

export interface Leak {
  artefact: string;
  canary: string;
  form: string;
  /** What stands around it, with the secret itself cut short. */
  near: string;
}

/** The forms in which one secret could stand. Each is at least twelve characters, so that no word is taken for one. */
function formsOf(secret: string): [string, string][] {
  const bytes = Buffer.from(secret, 'utf8');
  // Base64 depends on where the secret begins in what is encoded: three offsets, without the ends that its neighbours change.
  const base64 = [0, 1, 2].map((offset): [string, string] => {
    const text = Buffer.concat([Buffer.alloc(offset, 0x61), bytes]).toString('base64');
    return [`base64, offset ${offset}`, text.slice(offset === 0 ? 0 : 4, text.length - (text.length % 4) - 4)];
  });
  const half = Math.floor(secret.length / 2);
  const all: [string, string][] = [
    ['as it is', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    ['encoded twice', encodeURIComponent(encodeURIComponent(secret))],
    ['every byte encoded', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
    ['hexadecimal', bytes.toString('hex')],
    ['reversed', [...secret].reverse().join('')],
    ...base64,
  ];
  // A long secret cut in two is no secret any more only when less than half of it is left.
  if (secret.length >= 32) all.push(['first half', secret.slice(0, half)], ['second half', secret.slice(half)]);
  return all.filter(([, form]) => form.length >= 12);
}

/** Every place in the artefacts where a canary stands. */
export function findLeaks(artefacts: readonly Artefact[], canaries: Canaries): Leak[] {
  const leaks: Leak[] = [];
  const forms = [...canaries].flatMap(([canary, secret]) =>
    formsOf(secret).map(([form, text]) => ({ canary, form, text })),
  );
  for (const { name, content } of artefacts) {
    // Latin-1 keeps bytes apart, whatever the file is.
    const text = typeof content === 'string' ? content : content.toString('latin1');
    const lower = text.toLowerCase();
    for (const { canary, form, text: wanted } of forms) {
      const exact = text.indexOf(wanted);
      const at = exact >= 0 || !form.includes('encoded') ? exact : lower.indexOf(wanted.toLowerCase());
      if (at < 0) continue;
      const near = `${text.slice(Math.max(0, at - 80), at)}«${wanted.slice(0, 4)}…»`;
      leaks.push({ artefact: name, canary, form, near });
    }
  }
  return leaks;
}

/** Every file under a directory, those left out whose path `skip` names. */
export function filesUnder(directory: string, skip: (path: string) => boolean): Artefact[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !skip(path) && statSync(join(directory, path)).isFile())
    .map((path) => ({ name: `file ${path}`, content: readFileSync(join(directory, path)) }));
}
