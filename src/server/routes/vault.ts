/** `/v1/vault`: master keys, where secrets lie, and jobs over all of them. For operators; nothing here shows a secret. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { VaultAdmin } from '../../core/auth/secrets/admin.ts';
import { toWire } from '../../core/model/index.ts';
import type { Deps } from '../deps.ts';
import { type Operation, operation, serve } from '../operation.ts';

const instant = z.string().describe('ISO 8601.');
const jobName = z
  .enum(['rotate', 'reencrypt', 'migrate'])
  .describe(
    '`rotate`: wrap every data key with the active master key. `reencrypt`: encrypt every secret afresh. `migrate`: move secrets to another store.',
  );

const statusSchema = z
  .object({
    place: z.enum(['vault', 'aws', 'azure', 'gcp']).describe('Where new secrets go.'),
    keys: z.array(
      z.object({
        id: z.string(),
        state: z
          .enum(['active', 'waiting', 'decrypts', 'retired', 'missing'])
          .describe(
            '`active` encrypts; `waiting` will, once every node has it; `decrypts` is still needed or may be; `retired` is needed by nothing; `missing` is needed and not there.',
          ),
        secrets: z.number().int().describe('Secrets that need it.'),
        first_used_at: instant.optional(),
        retired_at: instant.optional(),
        wrapped_by: z.string().optional().describe('Address of the key management service’s key that wraps it.'),
        missing_on: z.array(z.string()).optional().describe('Nodes that do not have it.'),
      }),
    ),
    managed: z.record(z.string(), z.number().int()).describe('Secrets in secret managers.'),
    waiting: z.number().int().describe('Secrets that the database keeps for a manager that did not take them.'),
    to_destroy: z.number().int().describe('Secrets and old versions that are to be destroyed in managers.'),
    nodes: z.array(z.object({ id: z.string(), active_key: z.string() })),
    jobs: z.array(
      z.object({
        name: jobName,
        target: z.string(),
        state: z.enum(['running', 'stopping', 'stopped', 'done', 'failed']),
        done: z.number().int(),
        failed: z.number().int(),
        error: z.string().optional(),
        started_at: instant,
        finished_at: instant.optional(),
      }),
    ),
  })
  .meta({ id: 'Vault', description: 'Master keys, stores and jobs.' });

const base = { tag: 'Administration', access: 'operator' } as const;

const status = operation({
  ...base,
  id: 'getVault',
  method: 'GET',
  path: '/v1/vault',
  summary: 'State of the vault: master keys, stores, jobs',
  query: z.object({}),
  answer: { description: 'The state.', schema: statusSchema },
});

const start = operation({
  ...base,
  id: 'startVaultJob',
  method: 'POST',
  path: '/v1/vault/jobs',
  summary: 'Start a job over all secrets, or go on with one that was stopped',
  description: 'It runs beside everything else; GET /v1/vault shows how far it is.',
  query: z.object({}),
  body: z.strictObject({
    name: jobName,
    to: z.enum(['vault', 'aws', 'azure', 'gcp']).optional().describe('`migrate`: the store to move to.'),
    new_key: z.boolean().optional().describe('`rotate`: first make a new master key in the key file.'),
  }),
  answer: { description: 'The state after the start.', schema: statusSchema },
});

const stop = operation({
  ...base,
  id: 'stopVaultJobs',
  method: 'DELETE',
  path: '/v1/vault/jobs',
  summary: 'Stop the jobs after the batch they are at, on whichever node they run',
  query: z.object({}),
  answer: { description: 'The state after the request to stop.', schema: statusSchema },
});

/** Operations of the vault. */
export const VAULT_OPERATIONS: readonly Operation[] = [status, start, stop];

export function vaultRoutes(app: FastifyInstance, { services }: Deps): void {
  // Asked for when needed: harnesses that test other routes bring none.
  const vault = (): VaultAdmin => services.vault;
  serve(app, status, async () => toWire(await vault().status()));
  serve(app, start, async ({ body }) => {
    if (body.new_key === true && body.name === 'rotate') await vault().newKey();
    await vault().start({ name: body.name, to: body.to });
    return toWire(await vault().status());
  });
  serve(app, stop, async () => {
    await vault().stop(['rotate', 'reencrypt', 'migrate']);
    return toWire(await vault().status());
  });
}
