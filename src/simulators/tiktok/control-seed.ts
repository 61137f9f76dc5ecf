/** `POST /_control/seed` of the TikTok simulator. */
import { bad, found, reader } from '../kit/control.ts';
import { seedAgency } from './agency.ts';
import { makeAdvertiser, TEST_TOKEN } from './seed.ts';
import { seedAssets } from './seed-assets.ts';
import { seedSmartPlus } from './seed-smart-plus.ts';
import { seedVolume } from './seed-volume.ts';
import type { World } from './types.ts';

type Reader = ReturnType<typeof reader>;

/** A whole number from 1 to `most`, if given. */
function whole(read: Reader, name: string, most: number): number | undefined {
  const n = read.number(name);
  if (n !== undefined && (!Number.isInteger(n) || n < 1 || n > most)) bad(`${name} must be from 1 to ${most}`);
  return n;
}

/** A part, 0 to 1, if given. */
function share(read: Reader, name: string): number | undefined {
  const value = read.number(name);
  if (value !== undefined && (value < 0 || value > 1)) bad(`${name} must be from 0 to 1`);
  return value;
}

function makeVolume(world: World, read: Reader, ads: number) {
  const advertiser = read.text('advertiser_id');
  if (advertiser !== undefined) found(world.advertisers.get(advertiser), `advertiser ${advertiser}`);
  const deletedShare = share(read, 'deleted_share');
  const pausedShare = share(read, 'paused_share');
  const days = whole(read, 'days', 3_650);
  const seed = read.text('seed');
  return seedVolume(world, {
    ads,
    ...(advertiser === undefined ? {} : { advertiser_id: advertiser }),
    ...(deletedShare === undefined ? {} : { deletedShare }),
    ...(pausedShare === undefined ? {} : { pausedShare }),
    ...(days === undefined ? {} : { days }),
    ...(seed === undefined ? {} : { seed }),
  });
}

/** Places of seeded accounts, by turns. */
const PLACES = [
  ['US', 'USD', 'America/New_York'],
  ['FR', 'EUR', 'Europe/Paris'],
  ['JP', 'JPY', 'Asia/Tokyo'],
  ['GB', 'GBP', 'Europe/London'],
] as const;

/** An ad account of its own for `seedSmartPlus`, unless one is named. */
function makeSmartPlus(world: World, read: Reader): string {
  const named = read.text('advertiser_id');
  const [id] = named === undefined ? makeAdvertisers(world, 1, read.text('grant_to') ?? TEST_TOKEN) : [named];
  const advertiser = found(world.advertisers.get(id!), `advertiser ${id}`);
  if (named === undefined) seedAssets(world, advertiser);
  seedSmartPlus(world, advertiser);
  return advertiser.id;
}

function makeAdvertisers(world: World, n: number, token: string): string[] {
  const grant = found(world.grants.get(token), 'such access_token');
  const user = found(world.users.get(grant.user_id), `user ${grant.user_id}`);
  const rows = Array.from({ length: n }, (_, i) => {
    const [country, currency, zone] = PLACES[i % PLACES.length]!;
    const name = `Seeded account ${i + 1}`;
    return makeAdvertiser(world, { id: world.nextId(), name, country, currency, display_timezone: zone });
  });
  const ids = rows.map((row) => row.id);
  const roles = Object.fromEntries(ids.map((id) => [id, 'ADMIN' as const]));
  world.advertisers.putAll(rows);
  world.users.put({ ...user, roles: { ...user.roles, ...roles } });
  world.grants.put({ ...grant, advertiser_ids: [...grant.advertiser_ids, ...ids] });
  return ids;
}

/**
 * Makes `volume` ads with their campaigns and ad groups in one ad account, or so many `advertisers`, ticked in the test
 * token or the one named by `grant_to`, or both; `smart_plus: true` makes an ad account that mixes manual, legacy Smart+ and
 * Upgraded Smart+ objects, live and deleted (see `GET /objects` and `GET /ledger`); `agency: true` makes a user with three
 * Business Centers and 2,500 ad accounts, who can then be chosen on the consent page.
 * @throws ControlError 400 for a value out of range, 404 for an account or token there is not.
 */
export function seedByControl(world: World, body: Record<string, unknown>): Record<string, unknown> {
  const read = reader(body);
  const volume = whole(read, 'volume', 200_000);
  const advertisers = whole(read, 'advertisers', 5_000);
  const smart = read.flag('smart_plus') === true;
  const agency = read.flag('agency') === true;
  if (volume === undefined && advertisers === undefined && !smart && !agency) {
    bad('give volume (number of ads), advertisers (number), smart_plus (true) or agency (true)');
  }
  return {
    ...(agency ? { agency: seedAgency(world, (given) => makeAdvertiser(world, given)) } : {}),
    ...(smart ? { smart_plus: { advertiser_id: makeSmartPlus(world, read) } } : {}),
    ...(advertisers === undefined
      ? {}
      : { advertiser_ids: makeAdvertisers(world, advertisers, read.text('grant_to') ?? TEST_TOKEN) }),
    ...(volume === undefined ? {} : { volume: makeVolume(world, read, volume) }),
  };
}
