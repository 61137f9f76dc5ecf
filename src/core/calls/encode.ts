/** How a platform request becomes bytes: query styles, JSON and multipart bodies. */
import { randomUUID } from 'node:crypto';
import type { FormPart, Manifest, PlatformRequest } from '../connector/types.ts';

/** The query string without `?`; members that are undefined are left out. */
export function encodeQuery(query: Record<string, unknown>, style: Manifest['queryStyle']): string {
  const parts: string[] = [];
  const add = (name: string, value: string): void => {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  };
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value) && style === 'repeat') for (const member of value) add(name, String(member));
    else if (Array.isArray(value) && style === 'comma') add(name, value.join(','));
    else if (value !== null && typeof value === 'object') add(name, JSON.stringify(value));
    else add(name, String(value));
  }
  return parts.join('&');
}

/** A header-safe file name: quotes, line breaks and control characters cannot end the header early. */
const safeName = (name: string): string =>
  [...name]
    .map((char) => ((char.codePointAt(0) as number) < 32 || char === '"' || char === '\\' ? '_' : char))
    .join('');

/** A multipart body in one buffer; media of the size platforms take fit in memory, and retries need it again. */
export function encodeMultipart(parts: readonly FormPart[]): { contentType: string; body: Buffer } {
  const boundary = `polyad-${randomUUID()}`;
  const chunks: Buffer[] = [];
  for (const { name, value } of parts) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${safeName(name)}"`;
    if (typeof value === 'string') chunks.push(Buffer.from(`${head}\r\n\r\n${value}\r\n`));
    else {
      chunks.push(
        Buffer.from(`${head}; filename="${safeName(value.filename)}"\r\nContent-Type: ${value.contentType}\r\n\r\n`),
      );
      chunks.push(Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength), Buffer.from('\r\n'));
    }
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(chunks) };
}

/** Body and content type of a request; GETs that some platforms want typed set the header themselves. */
export function encodeBody(request: PlatformRequest): { contentType?: string; body?: string | Buffer } {
  if (request.multipart !== undefined) return encodeMultipart(request.multipart);
  if (request.jsonText !== undefined) return { contentType: 'application/json', body: request.jsonText };
  if (request.json !== undefined) return { contentType: 'application/json', body: JSON.stringify(request.json) };
  return {};
}
