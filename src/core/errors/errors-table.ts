/**
 * Every error polyad can answer, in one table. `docs/errors.md` is generated from it, and the HTTP layer, the CLI and
 * the call log read it. A code, once published, never changes its meaning and is never used again for another.
 */

/** Who must act for the call to succeed. `customer` = the end customer who owns the ad account. */
export type Actor = 'caller' | 'customer' | 'operator' | 'platform';

/** `never`: the same call will fail again. `after`: wait (Retry-After says how long). `now`: may be sent again at once. */
export type Retry = 'never' | 'after' | 'now';

export interface ErrorRow {
  /** HTTP status of the answer. */
  status: number;
  actor: Actor;
  retry: Retry;
  /** One sentence: what happened. Used when the place that throws has nothing better to say. */
  message: string;
  /** What that person does about it. */
  fix: string;
}

const row = (status: number, actor: Actor, retry: Retry, message: string, fix: string): ErrorRow => ({
  status,
  actor,
  retry,
  message,
  fix,
});

export const ERRORS = {
  // -- access to polyad itself
  key_missing: row(
    401,
    'caller',
    'never',
    'No API key was sent.',
    'Send the workspace key in the Authorization header.',
  ),
  key_invalid: row(
    401,
    'caller',
    'never',
    'The API key is unknown.',
    'Check the key, or make a new one with `polyad keys create`.',
  ),
  key_revoked: row(401, 'caller', 'never', 'The API key has been revoked.', 'Use a current key of the workspace.'),
  key_expired: row(401, 'caller', 'never', 'The API key has expired.', 'Use a current key of the workspace.'),
  key_scope: row(
    403,
    'caller',
    'never',
    'The API key may not do this.',
    'Use a key that carries the scope named in `details.needed`.',
  ),
  key_connection: row(
    403,
    'caller',
    'never',
    'The API key may not use this connection.',
    'Use a key whose list of connections has it; `connection_ids` of the key says which it has.',
  ),
  key_guessing: row(
    429,
    'caller',
    'after',
    'Too many wrong keys came from this address.',
    'Wait as Retry-After says, and check the key.',
  ),

  // -- input
  input_invalid: row(
    400,
    'caller',
    'never',
    'The request is not valid.',
    'Correct the members named in `details.issues`.',
  ),
  input_body_invalid: row(
    400,
    'caller',
    'never',
    'The body is not valid JSON.',
    'Send a JSON object with Content-Type application/json.',
  ),
  input_too_large: row(
    413,
    'caller',
    'never',
    'The request body is too large.',
    'Stay below the limit in `details.limit`.',
  ),
  input_media_type: row(
    415,
    'caller',
    'never',
    'The content type is not supported here.',
    'Use one of `details.allowed`.',
  ),
  input_field_unknown: row(
    400,
    'caller',
    'never',
    'A field is not part of this object.',
    'Use the fields listed in `details.allowed`.',
  ),
  input_field_unsupported: row(
    422,
    'caller',
    'never',
    'The platform does not take this field.',
    'Leave it out; `details.allowed` lists the fields it takes.',
  ),
  input_field_immutable: row(
    422,
    'caller',
    'never',
    'The platform does not let this field change after creation.',
    'Leave it out, or create a new object.',
  ),
  input_field_required: row(
    422,
    'caller',
    'never',
    'A field that the platform requires is missing.',
    'Add the fields named in `details.missing`.',
  ),
  input_value_unsupported: row(
    422,
    'caller',
    'never',
    'The platform does not take this value.',
    'Use one of `details.allowed`.',
  ),
  input_value_invalid: row(
    422,
    'caller',
    'never',
    'A value is not valid.',
    'See `details.field` and `details.reason`.',
  ),
  input_filter_unsupported: row(
    422,
    'caller',
    'never',
    'This list cannot be filtered that way.',
    'Use the list options that the integration’s `support` declares.',
  ),
  input_filter_required: row(
    422,
    'caller',
    'never',
    'A filter that this list needs is missing.',
    'Add the filter named in `details.needed`.',
  ),
  method_unsupported: row(
    405,
    'caller',
    'never',
    'The platform has no such operation on this object.',
    '`details.instead` says what to do, where there is a way.',
  ),
  route_unknown: row(404, 'caller', 'never', 'There is no such path.', 'See /docs for the paths of this server.'),

  // -- things of ours
  workspace_not_found: row(404, 'caller', 'never', 'There is no such workspace.', 'Check the workspace id.'),
  connection_not_found: row(
    404,
    'caller',
    'never',
    'There is no such connection in this workspace.',
    'Check the id; list with GET /unified/connection.',
  ),
  connection_paused: row(
    403,
    'operator',
    'never',
    'The connection is paused.',
    'Set `is_paused` to false to use it again.',
  ),
  integration_not_found: row(
    404,
    'caller',
    'never',
    'There is no such integration.',
    'GET /unified/integration lists the types.',
  ),
  integration_not_configured: row(
    409,
    'operator',
    'never',
    'The integration has no app credentials in this environment.',
    'Store the platform app’s credentials with PUT /v1/integrations/{type}/{environment}, or use env=simulator.',
  ),
  record_not_found: row(404, 'caller', 'never', 'There is no such record.', 'Check the id.'),
  record_conflict: row(
    409,
    'caller',
    'now',
    'The record was changed by someone else meanwhile.',
    'Read it again and repeat the change.',
  ),
  environment_crossed: row(
    409,
    'caller',
    'never',
    'Credentials, tokens and hosts of different environments were mixed.',
    'Use a connection made in the environment named in `details.expected`.',
  ),
  launch_not_ready: row(
    409,
    'operator',
    'never',
    'The platform’s review would fail today.',
    'Mend what `details.would_fail` lists (GET /v1/launch/{type} says more), or send `anyway: true` for an app that is approved already.',
  ),
  environment_unsupported: row(
    422,
    'caller',
    'never',
    'The platform has no such environment.',
    'Use one of `details.allowed`.',
  ),

  // -- connect flow
  oauth_state_invalid: row(
    400,
    'customer',
    'never',
    'This connect link is not valid, has been used, or is too old.',
    'Start again from the link in your product; links live ten minutes and work once, in one browser.',
  ),
  oauth_cookie_missing: row(
    400,
    'customer',
    'never',
    'The browser did not send the cookie of the connect page.',
    'Allow cookies for this site, then open the link again.',
  ),
  oauth_redirect_not_allowed: row(
    400,
    'caller',
    'never',
    'The redirect target is not on the allow list of the workspace.',
    'Add its origin to `redirect_origins` of the workspace.',
  ),
  oauth_denied: row(
    403,
    'customer',
    'never',
    'The customer did not grant access.',
    'Ask the customer to connect again and to confirm.',
  ),
  oauth_exchange_failed: row(
    502,
    'operator',
    'never',
    'The platform refused the authorization code.',
    'Check app id, secret and redirect URL of the integration; then connect again.',
  ),
  connection_test_failed: row(
    422,
    'customer',
    'never',
    'The new authorization did not pass its test.',
    'See `platform.message`; connect again with an account that may use the ad account.',
  ),
  oauth_account_mismatch: row(
    409,
    'customer',
    'never',
    'A different account was used to re-authorize this connection.',
    'Sign in with the account that made the connection.',
  ),
  reauth_token_invalid: row(
    400,
    'caller',
    'never',
    'The re-authorization token is not valid for this connection, or has expired.',
    'Ask for a new re-connect link.',
  ),

  // -- the grant
  connection_reconnect_required: row(
    403,
    'customer',
    'never',
    'The customer’s authorization is no longer valid.',
    'Send the customer to `details.reconnect_url`; calls start working again after that.',
  ),
  connection_credentials_missing: row(
    403,
    'operator',
    'never',
    'The connection has no usable credentials.',
    'Connect again, or import credentials on the connection.',
  ),
  organization_access_lost: row(
    403,
    'customer',
    'never',
    'The connection may not use this ad account (any more).',
    'Ask the customer to grant the ad account, or a higher role on it.',
  ),
  permission_missing: row(
    403,
    'operator',
    'never',
    'The platform app lacks the permission for this call.',
    'Request the permission for your app at the platform, then ask customers to authorize again.',
  ),
  organization_unknown: row(
    404,
    'caller',
    'never',
    'The ad account is not among those of this connection.',
    'Use an id that GET /ads/{connection_id}/organization lists.',
  ),
  organization_required: row(
    422,
    'caller',
    'never',
    'The connection reaches several ad accounts, so the call must name one.',
    'Pass `org_id`, or `organization_id` in the body.',
  ),

  // -- the platform's answers
  platform_not_found: row(
    404,
    'caller',
    'never',
    'The platform has no such object.',
    'Check the id and the ad account.',
  ),
  platform_rejected: row(
    422,
    'caller',
    'never',
    'The platform refused the request.',
    'See `platform.message`; correct the input.',
  ),
  platform_conflict: row(
    409,
    'caller',
    'after',
    'The platform reports a conflict with another change.',
    'Read the object and repeat the change if it is still wanted.',
  ),
  platform_duplicate: row(
    409,
    'caller',
    'never',
    'The platform saw this write already.',
    'Look the object up; the first request has created it.',
  ),
  platform_policy: row(
    422,
    'customer',
    'never',
    'The platform’s advertising policy forbids this.',
    'See `platform.message`; change the campaign or contact the platform.',
  ),
  platform_quota_reached: row(
    409,
    'customer',
    'never',
    'The ad account has reached a limit of the platform.',
    'Remove unused objects or ask the platform to raise the limit.',
  ),
  platform_blocked: row(
    403,
    'operator',
    'never',
    'The platform blocks calls from this place or app.',
    'See `platform.message`; contact the platform.',
  ),
  platform_app_invalid: row(
    502,
    'operator',
    'never',
    'The platform does not accept the app credentials.',
    'Check app id and secret of the integration.',
  ),
  platform_feature_restricted: row(
    403,
    'operator',
    'never',
    'The platform offers this call to allow-listed apps only.',
    'Ask the platform to allow-list your app.',
  ),
  platform_environment_unsupported: row(
    422,
    'caller',
    'never',
    'The platform’s own test host does not have this call.',
    'Use the production or simulator environment for it.',
  ),
  platform_not_ready: row(
    409,
    'platform',
    'after',
    'The platform is still processing this object.',
    'Repeat the call a little later.',
  ),
  platform_version_sunset: row(
    502,
    'operator',
    'never',
    'The platform no longer serves the API version in use.',
    'Update polyad; `polyad doctor` lists versions and their last days.',
  ),
  platform_media_invalid: row(
    422,
    'caller',
    'never',
    'The platform refused the media file.',
    'See `platform.message`; check type, size and signature.',
  ),
  platform_media_unreachable: row(
    422,
    'caller',
    'now',
    'The platform could not fetch the media from its URL.',
    'Check that the URL is public and repeat.',
  ),
  platform_unavailable: row(
    503,
    'platform',
    'after',
    'The platform is not answering properly at the moment.',
    'Repeat later; nothing is wrong with your request.',
  ),
  platform_timeout: row(
    504,
    'platform',
    'after',
    'The platform did not answer in time.',
    'Repeat later. After a write, look first whether it was carried out.',
  ),
  platform_unknown_error: row(
    502,
    'platform',
    'never',
    'The platform answered with an error that polyad does not know.',
    'See `platform`; please report it with the request id.',
  ),
  write_outcome_unknown: row(
    502,
    'platform',
    'never',
    'The answer to a write was lost, so its outcome is unknown.',
    'Do what `details.check` says before you send it again; with an Idempotency-Key, the same request looks for it.',
  ),

  idempotency_key_conflict: row(
    409,
    'caller',
    'never',
    'The Idempotency-Key was used for another request.',
    'Use a new key for a new request; repeat a request with the body it had.',
  ),
  idempotency_in_flight: row(
    409,
    'caller',
    'after',
    'The first request under this Idempotency-Key is still under way.',
    'Wait as Retry-After says, then send it again to get its answer.',
  ),
  spend_guard_exceeded: row(
    403,
    'operator',
    'never',
    'A spend guard of the workspace does not allow this budget.',
    'Stay within `details.limit`, or have an administrator change the guard with PUT /v1/spend_guards.',
  ),
  spend_guard_currency: row(
    403,
    'operator',
    'never',
    'A spend guard of the workspace names no amount in the currency of this ad account.',
    'Add the currency to the guard with PUT /v1/spend_guards.',
  ),

  // -- pace
  rate_limited: row(429, 'caller', 'after', 'Too many requests to this server.', 'Wait as Retry-After says.'),
  quota_wait: row(
    429,
    'platform',
    'after',
    'The platform’s quota is used up for now.',
    'Wait as Retry-After says; `details.bucket` names the quota.',
  ),
  platform_rate_limited: row(
    429,
    'platform',
    'after',
    'The platform is limiting requests.',
    'Wait as Retry-After says.',
  ),

  // -- pass-through and outbound
  passthrough_host_refused: row(
    400,
    'caller',
    'never',
    'Pass-through reaches the platform’s own host alone.',
    'Send a path, not a URL.',
  ),
  egress_refused: row(
    400,
    'caller',
    'never',
    'The address is not one this server may call.',
    'Use a public https address. The operator can open others with POLYAD_EGRESS_ALLOW.',
  ),
  egress_failed: row(
    502,
    'caller',
    'after',
    'The address that was given does not answer.',
    'Check that it can be reached from the internet.',
  ),

  // -- operation of the server
  store_directory_in_use: row(
    500,
    'operator',
    'never',
    'Another polyad process uses this data directory.',
    'Stop it, or give this one its own POLYAD_DATA_DIR, or set DATABASE_URL.',
  ),
  store_version_ahead: row(
    500,
    'operator',
    'never',
    'The database was written by a newer polyad.',
    'Start that version, or restore a back-up made before the upgrade.',
  ),
  store_migration_changed: row(
    500,
    'operator',
    'never',
    'A migration differs from the one that the database has run.',
    'Run an unmodified polyad; released migrations are never edited.',
  ),
  store_unavailable: row(
    503,
    'operator',
    'after',
    'The database is not reachable.',
    'Check DATABASE_URL and the database server.',
  ),
  vault_key_missing: row(
    500,
    'operator',
    'never',
    'The master key that encrypted the stored secrets is missing.',
    'Restore the key file, or set POLYAD_MASTER_KEY to it.',
  ),
  vault_key_unprotected: row(
    500,
    'operator',
    'never',
    'The master key file can be read by others.',
    'chmod 600 the file named in `details.file`.',
  ),
  vault_binding_mismatch: row(
    500,
    'operator',
    'never',
    'A stored secret does not belong to the record it lies on.',
    'Rows were copied or changed by hand: restore them, and see docs/security.md.',
  ),
  vault_key_service_unavailable: row(
    503,
    'operator',
    'after',
    'The key management service that holds the master key does not answer.',
    'Check the service and the network to it; secrets open again as soon as it answers.',
  ),
  vault_key_service_denied: row(
    500,
    'operator',
    'never',
    'The key management service refuses the master key.',
    'Check that the key is enabled and that this server’s identity may encrypt and decrypt with it.',
  ),
  vault_job_running: row(
    409,
    'operator',
    'after',
    'Such a job is being worked on already.',
    'Watch it with `polyad vault status`, or stop it with `--stop`.',
  ),
  secret_store_unavailable: row(
    503,
    'operator',
    'after',
    'The secret manager does not answer.',
    'Check the service and the network to it; the call works again as soon as it answers.',
  ),
  secret_store_throttled: row(
    503,
    'operator',
    'after',
    'The secret manager refuses more requests for now.',
    'Wait; raise the quota of the service, or POLYAD_SECRETS_CACHE_SECONDS, if it happens often.',
  ),
  secret_store_denied: row(
    500,
    'operator',
    'never',
    'The secret manager refuses this server.',
    'Check the credentials of the server and its permissions on the secrets; docs/security.md lists those it needs.',
  ),
  secret_store_missing: row(
    500,
    'operator',
    'never',
    'The secret manager does not have the secret that the database points at.',
    'Restore the secret in the manager, or connect the account again; see docs/security.md.',
  ),
  package_missing: row(
    500,
    'operator',
    'never',
    'An optional package that this configuration needs is not installed.',
    'Install the package named in `details.package`.',
  ),
  config_invalid: row(
    500,
    'operator',
    'never',
    'The configuration is not valid.',
    'Correct the variables named in `details.issues`.',
  ),
  port_in_use: row(
    500,
    'operator',
    'never',
    'The port is taken by another program.',
    'Choose another port with the variable named in `details`, or stop the other program.',
  ),
  server_stopping: row(
    503,
    'operator',
    'after',
    'The server is shutting down.',
    'Send the request again; another node will take it.',
  ),
  internal: row(500, 'operator', 'never', 'Something went wrong inside polyad.', 'Report it with the request id.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
