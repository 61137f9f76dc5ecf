import { type BusinessCenter, type Call, TikTokError } from '../types.ts';

/**
 * The Business Center, if the user behind the token is a member of it.
 * @param admin Only administrators may.
 * @throws TikTokError 40001 otherwise (TikTok docs: a non-member has no permission; wording unverified).
 */
export function requireBcMember(call: Call, bcId: string, admin = false): BusinessCenter {
  const role = call.world.users.get(call.grant!.user_id)?.bc_roles[bcId];
  const bc = call.world.businessCenters.get(bcId);
  if (!bc || !role) throw new TikTokError(40001, `No permission to operate Business Center ${bcId}.`);
  if (admin && role !== 'ADMIN') {
    throw new TikTokError(40001, `You must be an admin of the Business Center ${bcId}.`);
  }
  return bc;
}
