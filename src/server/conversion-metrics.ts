/** Numbers about conversion events. */
import { Gauge, type Registry } from 'prom-client';
import type { Conversions } from '../core/conversions/service.ts';

/** Registers them. What waits is asked of the database, for all nodes, when somebody looks. */
export function conversionMetrics(conversions: Pick<Conversions, 'counts' | 'waiting'>, registers: Registry[]): void {
  new Gauge({
    name: 'polyad_conversion_events',
    help: 'Conversion events of this process since its start: received, duplicate, withheld, refused, expired, accepted.',
    labelNames: ['platform', 'state'],
    registers,
    collect() {
      for (const { platform, state, events } of conversions.counts) this.set({ platform, state }, events);
    },
  });
  const labelNames = ['platform', 'environment'];
  const age = new Gauge({
    name: 'polyad_conversion_oldest_waiting_seconds',
    help: 'Age of the oldest conversion event that waits to be sent.',
    labelNames,
    registers,
  });
  new Gauge({
    name: 'polyad_conversion_waiting',
    help: 'Conversion events that wait to be sent, of all nodes.',
    labelNames,
    registers,
    async collect() {
      const waiting = await conversions.waiting().catch(() => []);
      this.reset();
      age.reset();
      for (const { integration_type: platform, environment, events, oldest } of waiting) {
        this.set({ platform, environment }, events);
        age.set({ platform, environment }, Math.max(0, (Date.now() - oldest.getTime()) / 1000));
      }
    },
  });
}
