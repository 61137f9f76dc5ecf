/** What routes are given. */
import type { Runtime } from '../core/runtime.ts';
import type { Services } from './services.ts';

export interface Deps {
  runtime: Runtime;
  services: Services;
}
