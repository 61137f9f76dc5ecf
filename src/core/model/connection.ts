import { z } from 'zod';
import { dateTime, id, openEnum, timestamps } from './common.ts';
import { ACTORS, CATEGORIES, HEALTH_STATES, LIFECYCLES } from './enums-connection.ts';
import { PERMISSIONS } from './permissions.ts';

const text = (what: string) => z.string().optional().describe(what);

/**
 * Credentials of a connection. On import its secrets are taken and sealed at once; an answer holds only members that
 * are no secrets (names, expiry dates, `meta`).
 */
export const connectionAuth = z
  .object({
    access_token: text('Access token.'),
    api_url: text('Base address of the API, where it differs by account.'),
    app_id: text("Id of the operator's app on the platform."),
    audience: text('OAuth audience.'),
    authorize_url: text('OAuth authorize address.'),
    client_id: text('OAuth client id.'),
    client_secret: text('OAuth client secret.'),
    consumer_key: text('OAuth 1.0a consumer key.'),
    consumer_secret: text('OAuth 1.0a consumer secret.'),
    dev_api_key: text('Developer token of the platform.'),
    emails: z.array(z.string()).optional().describe('Mail addresses of who authorised.'),
    expires_in: z.number().optional().describe('Life of the access token in seconds.'),
    expiry_date: dateTime.optional().describe('When the access token ends.'),
    key: text('API key.'),
    meta: z.record(z.string(), z.unknown()).optional().describe('Further members that the platform needs.'),
    name: text('Name of who authorised.'),
    other_auth_info: z
      .array(z.string())
      .optional()
      .describe('Further values, in the order the platform asks for them.'),
    pem: text('Private key, PEM.'),
    refresh_token: text('Refresh token.'),
    refresh_token_expires_date: dateTime.optional().describe('When the refresh token ends.'),
    refresh_token_expires_in: z.number().optional().describe('Life of the refresh token in seconds.'),
    refresh_url: text('OAuth refresh address.'),
    state: text('OAuth state.'),
    token: text('Token, where the platform has only one.'),
    token_url: text('OAuth token address.'),
    user_id: text("Platform's id of who authorised."),
  })
  .meta({ id: 'ConnectionAuth', description: 'Credentials to import. Secrets among them are never returned.' });
export type ConnectionAuth = z.infer<typeof connectionAuth>;

/** State of a connection, and what to do about it. An addition of polyad to the wire contract. */
export const connectionHealth = z
  .object({
    state: openEnum(HEALTH_STATES).describe('Whether calls work.'),
    code: text('Stable error code of what is wrong; see the error reference.'),
    message: text('What is wrong and what to do, for people.'),
    who: openEnum(ACTORS).optional().describe('Who must act.'),
    reconnect_url: text('Where to send the end customer to authorise again.'),
    since: dateTime.optional().describe('Since when the connection is in this state.'),
    lifecycle: openEnum(LIFECYCLES)
      .optional()
      .describe('Where the tokens stand in their life; calls go out in all states but `revoked` and `paused`.'),
    lifecycle_since: dateTime.optional().describe('Since when they stand there.'),
    reauthorize_by: dateTime
      .optional()
      .describe('When the customer must have authorised again, as far as that is known.'),
    reauthorize_in_days: z
      .number()
      .optional()
      .describe('Days until then, once they are few enough to ask the customer.'),
    missing_permissions: z
      .array(openEnum(PERMISSIONS))
      .optional()
      .describe('Permissions that were asked for and that the customer did not grant.'),
    organizations: z
      .array(
        z.object({
          id: z.string().describe('Id of the ad account.'),
          code: z.string().describe('Stable error code.'),
          since: dateTime.describe('Since when.'),
          platform_code: text("The platform's own code."),
          message: text("The platform's own words."),
        }),
      )
      .optional()
      .describe('Ad accounts that the platform no longer lets this connection use, while the grant works.'),
  })
  .meta({ id: 'ConnectionHealth', description: 'State of a connection, and what to do about it.' });
export type ConnectionHealth = z.infer<typeof connectionHealth>;

/** One end customer's authorization on one platform, in one environment. */
export const connection = z
  .object({
    auth: connectionAuth.optional().describe('Credentials to import; in answers without the secrets.'),
    categories: z.array(openEnum(CATEGORIES)).describe('Categories of the integration; `ads` for ad platforms.'),
    ...timestamps,
    environment: z.string().optional().describe('Environment of the connection. It never changes.'),
    external_xref: text('Your own id of the end customer.'),
    id: id.optional().describe('Id of the connection: 24 hexadecimal characters.'),
    integration_name: text('Name of the platform.'),
    integration_type: z.string().describe('Type slug of the integration, such as the last part of its auth address.'),
    is_paused: z.boolean().optional().describe('Calls are refused while true.'),
    last_healthy_at: dateTime.optional().describe('Last time a call worked.'),
    last_unhealthy_at: dateTime.optional().describe('Last time the connection failed.'),
    last_unhealthy_code: text('Code of that failure.'),
    permissions: z.array(openEnum(PERMISSIONS)).describe('What the end customer allowed.'),
    secretsmanager_id: text('Id of an outside secret store that holds the credentials.'),
    secretsmanager_key: text('Key of the credentials in that store.'),
    workspace_id: text('Id of the workspace.'),
    health: connectionHealth.optional().describe('Addition of polyad: state, cause, who must act, re-connect link.'),
  })
  .meta({ id: 'Connection', description: "One end customer's authorization on one platform, in one environment." });
export type Connection = z.infer<typeof connection>;

/** Members of Connection that the wire contract does not have: ours, optional, ignored by its clients. */
export const CONNECTION_EXTRAS = ['health'] as const;
