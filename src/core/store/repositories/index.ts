/** The repositories: plain functions over a database or a transaction, each scoped to a workspace by its signature. */
export * from './api-calls.ts';
export * from './api-keys.ts';
export * from './audit.ts';
export * from './connections.ts';
export * from './dashboard-sessions.ts';
export * from './events.ts';
export * from './integrations.ts';
export * from './launch.ts';
export type { ListOptions } from './list.ts';
export * from './oauth-states.ts';
export * from './secrets.ts';
export * from './spend-guards.ts';
export * from './token-lives.ts';
export * from './token-origins.ts';
export * from './usage.ts';
export * from './vault.ts';
export * from './workspaces.ts';
export * from './writes.ts';
