import type { PolyadConfig } from '../src/app/config-file.ts';

export type { PolyadConfig };
/** Gives an editor the types of the settings; answers its argument. */
export declare function defineConfig(config: PolyadConfig): PolyadConfig;
