/** The step from a platform's sandbox or the simulator to its live host. Nothing is carried across. */
import type { Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { AppCredentialsService } from '../integrations/app-credentials.ts';
import type { Store } from '../store/port.ts';
import { appendEvent, leftBehind, updateWorkspace } from '../store/repositories/index.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import type { LaunchReport } from './types.ts';

/** Members that name a token or an object of one environment. */
const CARRIED =
  /^(access_?token|refresh_?token|token|tokens|connection_?ids?|advertiser_?ids?|organization_?ids?|account_?ids?|campaign_?ids?)$/i;

export interface ProductionInput {
  /** Go on although something would fail the review: for an app that was approved before polyad came. */
  anyway?: boolean | undefined;
  /** App id and secret under any of their names. */
  [name: string]: unknown;
}

export interface ProductionMove {
  integration_type: string;
  environment: 'Production';
  /** Address (GET) that answers the link at which the first customer connects. */
  connect: string;
  /** What stays where it was. */
  left_behind: {
    connections: { environment: string; count: number }[];
    /** Spend guards for ad accounts that only sandbox or simulator connections reach. */
    spend_guards: string[];
  };
}

/**
 * Stores the app for production and makes production the workspace's default. Connections, tokens and ids stay in their
 * environments: customers authorise again, as they must.
 *
 * @throws PolyadError `environment_crossed` (a token, an id, or the simulator's app was given), `launch_not_ready`,
 *   `input_invalid`.
 */
export async function moveToProduction(
  { store, apps, now }: { store: Store; apps: AppCredentialsService; now: Date },
  workspace: WorkspaceRow,
  platform: Platform,
  report: LaunchReport,
  { anyway = false, ...credentials }: ProductionInput,
): Promise<ProductionMove> {
  const { type, name } = platform.manifest;
  const carried = Object.keys(credentials).filter((key) => CARRIED.test(key));
  if (carried.length > 0)
    throw new PolyadError('environment_crossed', {
      message: `Tokens and ids of another environment mean nothing in production: ${carried.join(', ')}. Customers authorise there anew.`,
      details: { expected: 'production', refused: carried },
    });
  if (report.would_fail.length > 0 && !anyway)
    throw new PolyadError('launch_not_ready', {
      message: `${report.would_fail.length === 1 ? 'One thing' : `${report.would_fail.length} things`} would fail the review of ${name} today.`,
      details: { would_fail: report.would_fail.map(({ id, title, fix }) => ({ id, title, fix })) },
    });
  const simulated = await apps.get(workspace.id, type, 'simulator');
  const given = Object.values(credentials).filter((value) => typeof value === 'string');
  if (simulated !== undefined && given.includes(simulated.client_secret))
    throw new PolyadError('environment_crossed', {
      message: 'This is the app of the simulator.',
      details: { expected: 'production', refused: ['client_secret'] },
    });
  await apps.put(workspace.id, platform, 'production', { ...credentials, is_active: true });
  await store.db.transaction().execute(async (trx) => {
    await updateWorkspace(trx, workspace.id, { default_environment: 'production' }, now);
    await appendEvent(
      trx,
      workspace.id,
      { type: 'workspace.production', payload: { integration_type: type, before: workspace.default_environment } },
      now,
    );
  });
  return {
    integration_type: type,
    environment: 'Production',
    connect: `/unified/integration/auth/${workspace.id}/${type}?env=Production`,
    left_behind: await leftBehind(store.db, workspace.id, type),
  };
}
