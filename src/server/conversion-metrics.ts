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
  type Waiting = Awaited<ReturnType<typeof conversions.waiting>>;
  // Both gauges are asked in the same turn, and share one question to the database.
  let asked: Promise<Waiting> | undefined;
  const look = (): Promise<Waiting> => {
    asked ??= conversions
      .waiting()
      .catch(() => [])
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
  const gauge = (name: string, help: string, value: (row: Waiting[number]) => number): void => {
    new Gauge({
      ...{ name, help, labelNames, registers },
      async collect() {
        const waiting = await look();
        this.reset();
        for (const row of waiting)
          this.set({ platform: row.integration_type, environment: row.environment }, value(row));
      },
    });
  };
  gauge('polyad_conversion_waiting', 'Conversion events that wait to be sent, of all nodes.', ({ events }) => events);
  gauge(
    'polyad_conversion_oldest_waiting_seconds',
    'Age of the oldest conversion event that waits to be sent.',
    ({ oldest }) => Math.max(0, (Date.now() - oldest.getTime()) / 1000),
  );
}
