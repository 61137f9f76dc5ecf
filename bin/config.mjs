/** `polyad/config`: what `polyad.config.ts` may import. Plain JavaScript, since Node strips no types below node_modules. */

/** Gives an editor the types of the settings; answers its argument. */
export const defineConfig = (config) => config;
