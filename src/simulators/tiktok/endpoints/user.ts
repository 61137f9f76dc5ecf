import type { Endpoint } from '../types.ts';

/** `ada@acme.test` as TikTok shows it: `a**@acme.test`. */
export function maskEmail(email: string): string {
  const [name = '', domain = ''] = email.split('@');
  return `${name.slice(0, 1)}${'*'.repeat(Math.max(2, name.length - 1))}@${domain}`;
}

/**
 * user/info: the TikTok for Business user who authorized the app. Needs no permission, works on the sandbox host, and
 * is therefore the health check there.
 */
const info: Endpoint = {
  method: 'GET',
  path: 'user/info',
  auth: 'token',
  scopes: [],
  sandbox: true,
  params: [],
  handle({ world, grant }) {
    const user = world.users.get(grant!.user_id)!;
    return {
      core_user_id: user.id,
      display_name: user.display_name,
      email: maskEmail(user.email),
      avatar_url: user.avatar_url,
      create_time: user.create_time ?? 0,
    };
  },
};

/** The user family. */
export const endpoints: Endpoint[] = [info];
