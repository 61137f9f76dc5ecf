import { reads } from '../declared.ts';
import { advertiserIdOf } from '../params.ts';
import { given, missing, owned } from '../rules.ts';
import type { Call, Endpoint } from '../types.ts';

/**
 * Which events an app's ads can optimise for: app/optimization_event, app/optimization_event/retargeting. Facts: yml
 * app_optimization_event*; the members of the answer's rows are (unverified), the document names the list alone.
 */

const EVENTS = ['ACTIVE', 'ACTIVE_REGISTER', 'ACTIVE_PAY', 'IN_APP_ORDER', 'IN_APP_CART', 'IN_APP_DETAIL'] as const;
/** What an app with a measurement partner reports; one without reports installs alone. */
const WITHOUT_PARTNER = ['ACTIVE'];

const events = (names: readonly string[]) => (call: Call) => {
  const app = owned(call.world.mobileApps, 'app', call.params['app_id'], advertiserIdOf(call));
  const partner = typeof app['partner'] === 'string' && app['partner'] !== '';
  const rows = names.map((optimization_event) => ({
    optimization_event,
    custom_event_type: '',
    available: partner || WITHOUT_PARTNER.includes(optimization_event),
  }));
  const wanted = call.params['available_only'] !== false ? rows.filter(({ available }) => available) : rows;
  return { optimization_events: wanted };
};

/** Events of apps. */
export const endpoints: Endpoint[] = [
  reads('app/optimization_event', (call) => {
    const normal = (call.params['placement_type'] ?? 'PLACEMENT_TYPE_NORMAL') === 'PLACEMENT_TYPE_NORMAL';
    if (normal && !given(call.params, 'placement')) missing('placement');
    return events(EVENTS)(call);
  }),
  reads('app/optimization_event/retargeting', events(EVENTS.filter((name) => name !== 'ACTIVE'))),
];
