/** What benchmarks of large reports share: one tenant asks for a report, and meanwhile another one reads lists. */
import { ADVERTISER } from './campaigns.ts';
import { type Installation, install } from './installation.ts';
import { cpuSeconds, memoryMb, Noise, resetPeak } from './machine.ts';
import { type LoopReport, loopBegin, loopReport } from './processes.ts';
import { atMost, type Target } from './results.ts';
import { quantile, short } from './stats.ts';
import type { Tenant } from './tenants.ts';

/** Between two lists of the other tenant, in ms. */
const LIST_EVERY_MS = 200;

/** What a report cost the server. */
export interface Cost {
  seconds: number;
  cpuSeconds: number;
  /** Resident memory before, and the most meanwhile. */
  beforeMb: number;
  peakMb: number;
  loop: LoopReport;
  /** How long the lists of the other tenant took, in ms. */
  waits: readonly number[];
}

export interface ReportBench {
  all: Installation;
  /** Who asks for reports. */
  tenant: Tenant;
  noise: Noise;
  /** Runs `work` while the other tenant reads a list now and then. */
  measure<T>(work: () => Promise<T>): Promise<{ made: T; cost: Cost }>;
}

/** @param ads how many the upstream's reports are about */
export async function reportBench(label: string, ads: number): Promise<ReportBench> {
  const all = await install(label, { tenants: 2, entities: ads, probe: true });
  const { server } = all;
  const [tenant, other] = all.tenants as [Tenant, Tenant];
  return {
    all,
    tenant,
    noise: new Noise([server.pid, all.upstream.pid]),
    async measure(work) {
      const beforeMb = memoryMb(server.pid).now;
      await resetPeak(server.pid);
      loopBegin(server);
      const begun = performance.now();
      const cpu = cpuSeconds(server.pid);
      let working = true;
      const waits: number[] = [];
      const bystander = (async () => {
        while (working) {
          const sent = performance.now();
          const list = await fetch(`${server.url}/ads/${other.connection}/campaign?limit=50&org_id=${ADVERTISER}`, {
            headers: { authorization: other.key },
          });
          await list.text();
          if (!list.ok) throw new Error(`the list answered ${list.status}`);
          waits.push(performance.now() - sent);
          await new Promise((resolve) => setTimeout(resolve, LIST_EVERY_MS));
        }
      })();
      const made = await work();
      working = false;
      await bystander;
      const seconds = (performance.now() - begun) / 1000;
      const peakMb = memoryMb(server.pid).peak;
      const loop = await loopReport(server);
      return {
        made,
        cost: { seconds, cpuSeconds: cpuSeconds(server.pid) - cpu, beforeMb, peakMb, loop, waits },
      };
    },
  };
}

const LONGEST_TURN = 'longest turn of the event loop, CPU';

/** Rows of the result that say whether others were held up. `of` begins their names. */
export function heldUp({ loop, waits }: Cost, of = ''): { measure: string; value: string }[] {
  return [
    {
      measure: `${of}${LONGEST_TURN}`,
      value: `${short(loop.turnMaxMs)} ms (99.9 %: ${short(loop.turnP999Ms)} ms)`,
    },
    {
      measure: `${of}lists of another tenant meanwhile, p50 and p99`,
      value: `${short(quantile(waits, 0.5))} ms, ${short(quantile(waits, 0.99))} ms`,
    },
  ];
}

/** The promise that nobody holds the event loop up for more than 10 ms. */
export function turnTarget({ loop }: Cost, of = ''): Target {
  return atMost(`${of}${LONGEST_TURN}`, loop.turnMaxMs, 'ms', 10);
}
