/** Apps registered in an ad account: app/list and app/info. */
import type { OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { read, rowsOf } from '../request.ts';

const MINUTES_10 = 600_000;

/** Apps of the ad account (app/list, TikTok docs 1740859313270786). */
export function apps(input: OperationInput): Promise<Native[]> {
  return input.ctx.remember(`tiktok/apps/${input.organization.id}`, MINUTES_10, async () =>
    rowsOf(await read(input, 'app/list'), 'apps'),
  );
}

const systemIn = (value: unknown): 'ANDROID' | 'IOS' | undefined => {
  const text = String(value ?? '').toUpperCase();
  const [android, ios] = [text.includes('ANDROID'), /IOS|IPHONE/.test(text)];
  return android === ios ? undefined : android ? 'ANDROID' : 'IOS';
};

/**
 * Which store an app is in: by the systems that the ad group targets when that is one, else by the app's own entry (the
 * names of its members are unverified).
 *
 * @throws PolyadError `input_field_required` when neither tells.
 */
export async function appPlatform(input: OperationInput, appId: string, userOs: unknown): Promise<'ANDROID' | 'IOS'> {
  const targeted = systemIn(Array.isArray(userOs) ? userOs.map((ref) => (ref as Native | null)?.['id']).join(' ') : '');
  if (targeted !== undefined) return targeted;
  const app =
    input.ctx.environment === 'sandbox'
      ? undefined
      : (await apps(input)).find((row) => [row['app_id'], row['app_platform_id']].map(String).includes(appId));
  const known = systemIn(app?.['platform'] ?? app?.['app_type'] ?? app?.['download_url'] ?? app?.['app_download_url']);
  if (known !== undefined) return known;
  throw new PolyadError('input_field_required', {
    message: 'TikTok must know the store of the app: target one system in `targeting.device.user_os`.',
    details: { missing: ['targeting.device.user_os'], allowed: ['ANDROID', 'IOS'] },
  });
}
