/** TikTok's simulator as a process of its own, so that it outlives the servers that a test kills. */
import { startSimulators } from '../../src/simulators/kit/host.ts';

const host = await startSimulators({ ids: ['tiktok'], port: 0 });
const { url, controlUrl, ready } = host.simulators['tiktok'] as NonNullable<(typeof host.simulators)[string]>;
process.stdout.write(`${JSON.stringify({ url, controlUrl, ready })}\n`);
