import type { World } from './types.ts';

/** A few campaigns, ad groups and ads of one ad account, as its owner might have made them. */
export function seedObjects(_world: World, _advertiserId: string): void {}
