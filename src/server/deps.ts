/** What routes are given. */
import type { Runtime } from '../core/runtime.ts';
import type { Services } from './services.ts';

export interface Deps {
  runtime: Runtime;
  services: Services;
  /** Address under which browsers reach this server, without a slash at its end. */
  publicUrl(): string;
}
