/** The gentle test of a connection outside anybody's call. */
import { Meter } from '../../calls/scope.ts';
import type { ProbeResult } from '../../connector/auth-spec.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Runtime } from '../../runtime.ts';
import { newId } from '../../store/ids.ts';
import { getWorkspace } from '../../store/repositories/index.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { grantOf } from '../credentials.ts';

/** Runs the probe that the connection's grant has, or that of its platform. */
export function prober(
  runtime: Pick<Runtime, 'store' | 'registry' | 'clock' | 'context'>,
): (connection: ConnectionRow, signal: AbortSignal) => Promise<ProbeResult> {
  return async (connection, signal) => {
    const workspace = await getWorkspace(runtime.store.db, connection.workspace_id);
    if (workspace === undefined) throw new PolyadError('workspace_not_found');
    const platform = runtime.registry.get(connection.integration_type);
    const requestId = newId(runtime.clock.now().getTime());
    const ctx = runtime.context({ workspace, connection, requestId, signal, meter: new Meter() });
    const grant = grantOf(platform, String(connection.account['grant'] ?? ''));
    return grant?.probe === undefined ? platform.auth.probe(ctx) : grant.probe(ctx);
  };
}
