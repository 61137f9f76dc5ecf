/** Platforms as the wire contract's `Integration`: from the manifest and the capability map, seen by one workspace. */

import { importForm } from '../auth/import-form.ts';
import { offeredPermissions } from '../auth/permissions.ts';
import { capabilities } from '../connector/capabilities.ts';
import { wireEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Platform } from '../connector/types.ts';
import type { Integration } from '../model/integration.ts';
import type { Store } from '../store/port.ts';
import { listIntegrations } from '../store/repositories/index.ts';
import type { IntegrationRow, WorkspaceRow } from '../store/schema.ts';
import { logoOf } from './logo.ts';

/** Categories of every integration: what the contract calls advertising, and pass-through. */
export const INTEGRATION_CATEGORIES = ['ads', 'passthrough'] as const;

export interface IntegrationQuery {
  /** Only those switched on in the workspace (`true`), or only those that are not (`false`). */
  active?: boolean | undefined;
  /** Integrations with at least one of these categories. */
  categories?: readonly string[] | undefined;
  /** Default: the workspace's default environment. */
  environment?: Environment | undefined;
  /** Wire type, id or alias: that one alone. Unknown = an empty list. */
  type?: string | undefined;
  /** Names and looks without the capability map. */
  summary?: boolean | undefined;
  updated_gte?: Date | undefined;
  /** Default 100. */
  limit?: number | undefined;
  offset?: number | undefined;
}

export interface IntegrationsParts {
  store: Store;
  registry: PlatformRegistry;
  /** Environments in which this server can use a platform now. */
  environments(platform: Platform): readonly Environment[];
}

export class Integrations {
  readonly #parts: IntegrationsParts;

  constructor(parts: IntegrationsParts) {
    this.#parts = parts;
  }

  /** The integrations as the workspace sees them in one environment, by name. */
  async list(workspace: WorkspaceRow, query: IntegrationQuery = {}): Promise<Integration[]> {
    const { registry, store, environments } = this.#parts;
    const environment = query.environment ?? (workspace.default_environment as Environment);
    if (query.categories !== undefined && query.categories.length > 0)
      if (!query.categories.some((category) => (INTEGRATION_CATEGORIES as readonly string[]).includes(category)))
        return [];
    const only = query.type === undefined ? undefined : registry.find(query.type);
    if (query.type !== undefined && only === undefined) return [];
    const rows = new Map(
      (await listIntegrations(store.db, workspace.id, { environment, limit: 1000 })).map((row) => [row.type, row]),
    );
    const healthy = query.summary === true ? new Map<string, number>() : await this.#healthy(workspace.id, environment);
    const since = query.updated_gte?.getTime();
    const found = (only === undefined ? registry.all() : [only])
      .filter((platform) => environments(platform).includes(environment))
      .filter(
        (platform) =>
          query.active === undefined ||
          isActive(platform, environment, rows.get(platform.manifest.type)) === query.active,
      )
      .filter(
        (platform) => since === undefined || (rows.get(platform.manifest.type)?.updated_at.getTime() ?? 0) >= since,
      )
      .slice(query.offset ?? 0, (query.offset ?? 0) + (query.limit ?? 100));
    return found.map((platform) => {
      const { type } = platform.manifest;
      const plain = summaryOf(platform, environment, rows.get(type));
      return query.summary === true
        ? plain
        : this.#whole(platform, plain, environment, rows.get(type), healthy.get(type) ?? 0);
    });
  }

  #whole(
    platform: Platform,
    summary: Integration,
    environment: Environment,
    row: IntegrationRow | undefined,
    healthy: number,
  ): Integration {
    const { manifest } = platform;
    const form = importForm(platform, environment);
    return {
      ...summary,
      active_healthy_connections: healthy,
      api: { urls: [manifest.hosts.production.api] },
      api_docs_url: manifest.docsUrl,
      web_url: manifest.webUrl,
      description: manifest.description,
      rate_limit_description: manifest.rateLimitDescription,
      ...(manifest.hosts.sandbox === undefined ? {} : { sandbox: { urls: [manifest.hosts.sandbox.api] } }),
      ...(row === undefined
        ? {}
        : { created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() }),
      support: capabilities(platform, this.#parts.registry) as NonNullable<Integration['support']>,
      ...(form === undefined
        ? {}
        : {
            token_names: form.fields.map((field) => field.label),
            token_instructions: form.fields.map((field) => field.instruction),
          }),
    };
  }

  async #healthy(workspaceId: string, environment: Environment): Promise<Map<string, number>> {
    const rows = await this.#parts.store.db
      .selectFrom('connections')
      .select(['integration_type', (eb) => eb.fn.countAll<string>().as('count')])
      .where('workspace_id', '=', workspaceId)
      .where('environment', '=', environment)
      .where('health_state', '=', 'healthy')
      .where('is_paused', '=', false)
      .where('deleted_at', 'is', null)
      .groupBy('integration_type')
      .execute();
    return new Map(rows.map((row) => [row.integration_type, Number(row.count)]));
  }
}

/**
 * Whether customers can connect: switched on by whoever stored the app's credentials, or, where connecting needs no app
 * (tokens are pasted), unless switched off.
 */
export function isActive(platform: Platform, environment: Environment, row: IntegrationRow | undefined): boolean {
  return row?.is_active ?? !platform.auth.grants.some((grant) => grant.environments.includes(environment));
}

function summaryOf(platform: Platform, environment: Environment, row: IntegrationRow | undefined): Integration {
  const { manifest } = platform;
  return {
    type: manifest.type,
    name: manifest.name,
    categories: [...INTEGRATION_CATEGORIES],
    is_active: isActive(platform, environment, row),
    color: manifest.color,
    text_color: manifest.textColor,
    logo_url: logoOf(platform),
  };
}

/** Facts for people who set an integration up: what a customer may grant, and where the platform must send them back. */
export function setupFacts(platform: Platform, environment: Environment, publicUrl: string) {
  return {
    integration_type: platform.manifest.type,
    environment: wireEnvironment(environment),
    permissions: offeredPermissions(platform),
    redirect_urls: platform.auth.grants
      .filter((grant) => grant.environments.includes(environment))
      .map((grant) => ({ grant: grant.id, url: callbackUrl(publicUrl, platform, grant.callbackSlash === true) })),
  };
}

/** Where a platform sends the browser back to; what must be registered with the platform's app. */
export function callbackUrl(publicUrl: string, platform: Platform, slash: boolean): string {
  return `${publicUrl}/connect/callback/${platform.manifest.type}${slash ? '/' : ''}`;
}
