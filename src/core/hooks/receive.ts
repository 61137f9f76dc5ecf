/** Webhooks of platforms: signature, repetitions, and the connections that they concern. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { HookEntry, WebhookSpec } from '../connector/webhook-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { parseExactJson } from '../http/exact-json.ts';
import type { AppCredentialsService } from '../integrations/app-credentials.ts';
import type { Store } from '../store/port.ts';
import { appendEvent, connectionsReaching, receiveHooks } from '../store/repositories/index.ts';

export interface HookParts {
  store: Store;
  registry: PlatformRegistry;
  apps: AppCredentialsService;
  clock: Clock;
}

export interface HookAddress {
  workspaceId: string;
  type: string;
  environment: string;
}

export interface HookOutcome {
  /** Entries that had not come before. */
  fresh: number;
  repeated: number;
  /** Entries of kinds that are not known. */
  unknown: number;
  /** Events that were made of them. */
  events: number;
}

export class Hooks {
  readonly #parts: HookParts;

  constructor(parts: HookParts) {
    this.#parts = parts;
  }

  /** @throws PolyadError `method_unsupported` */
  spec(type: string): WebhookSpec {
    const { webhooks, manifest } = this.#parts.registry.get(type);
    if (webhooks === undefined)
      throw new PolyadError('method_unsupported', { message: `${manifest.name} sends no webhooks here.` });
    return webhooks;
  }

  /**
   * Takes one callback. It is done when its events are stored, so that a platform which hears no answer may send it again.
   *
   * @throws PolyadError `hook_signature_wrong`, `integration_not_configured`, `input_body_invalid`.
   */
  async receive(
    { workspaceId, type, environment }: HookAddress,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Buffer,
  ): Promise<HookOutcome> {
    const { apps, clock, store, registry } = this.#parts;
    const spec = this.spec(type);
    const slug = registry.get(type).manifest.type;
    const app = await apps.get(workspaceId, slug, environment);
    if (app === undefined)
      throw new PolyadError('integration_not_configured', { details: { integration_type: slug, environment } });
    if (!signedBy(app.client_secret, spec, headers[spec.signature.header], body))
      throw new PolyadError('hook_signature_wrong');
    let parsed: unknown;
    try {
      // Ids beyond 2^53 are written as numbers here.
      parsed = parseExactJson(body.toString('utf8'));
    } catch {
      throw new PolyadError('input_body_invalid', { message: 'The callback is no JSON.' });
    }
    const { entries, unknown } = spec.read(parsed);
    const now = clock.now();
    const digests = entries.map(({ kind, identity }) =>
      hash('sha256', `${slug}\n${environment}\n${kind}\n${identity}`),
    );
    return store.db.transaction().execute(async (trx) => {
      const fresh = await receiveHooks(trx, workspaceId, digests, now);
      let events = 0;
      let count = 0;
      for (const [index, entry] of entries.entries()) {
        // Of an entry that stands twice in one callback the first counts.
        if (!fresh.delete(digests[index] as string)) continue;
        count += 1;
        const facts = { integration_type: slug, environment };
        for (const target of await this.#targets(trx, workspaceId, slug, environment, entry)) {
          events += 1;
          const payload = { ...facts, ...target.facts, ...entry.payload };
          await appendEvent(
            trx,
            workspaceId,
            { type: `platform.${entry.kind}`, connection_id: target.id, payload },
            now,
          );
        }
      }
      return { fresh: count, repeated: entries.length - count, unknown, events };
    });
  }

  /** One event for each connection that reaches the ad account; for the whole app, or where none does, one without. */
  async #targets(
    trx: Parameters<typeof connectionsReaching>[0],
    workspaceId: string,
    type: string,
    environment: string,
    { organizationIds }: HookEntry,
  ): Promise<{ id: string | null; facts: Record<string, unknown> }[]> {
    if (organizationIds.length === 0) return [{ id: null, facts: {} }];
    const reaching = await connectionsReaching(trx, workspaceId, type, environment, organizationIds);
    if (reaching.length === 0) return [{ id: null, facts: { organization_ids: organizationIds } }];
    return reaching.map((one) => ({
      id: one.id,
      facts: { external_xref: one.external_xref, organization_ids: one.organization_ids },
    }));
  }
}

/** Whether the platform signed this. */
function signedBy(
  secret: string,
  { signature }: WebhookSpec,
  given: string | string[] | undefined,
  body: Buffer,
): boolean {
  if (typeof given !== 'string' || given.length > 200) return false;
  const text =
    signature.over === 'body'
      ? body
      : Buffer.from(
          body
            .toString('utf8')
            .replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
        );
  const right = createHmac(signature.algorithm, secret).update(text).digest();
  const sent = Buffer.from(given.trim(), signature.encoding);
  return sent.length === right.length && timingSafeEqual(sent, right);
}
