/** What a person types in where a platform has no sign-in: tokens made on the platform's own pages. */
import type { Environment, Platform } from '../connector/types.ts';

export interface ImportField {
  name: 'access_token' | 'organization_id';
  label: string;
  instruction: string;
  /** Hidden while typing, never shown again. */
  secret: boolean;
  required: boolean;
}

export interface ImportForm {
  fields: readonly ImportField[];
}

/**
 * The form of a platform in an environment; undefined where it has a sign-in of its own there. A platform names the
 * fields in its own words by `AuthSpec.tokenImport`.
 */
export function importForm(platform: Platform, environment: Environment): ImportForm | undefined {
  if (platform.auth.grants.some((grant) => grant.environments.includes(environment))) return undefined;
  const { name } = platform.manifest;
  const words = platform.auth.tokenImport;
  return {
    fields: [
      {
        name: 'access_token',
        label: words?.accessToken.label ?? 'Access token',
        instruction:
          words?.accessToken.instruction ?? `Made on ${name}’s developer pages for the ${environment} environment.`,
        secret: true,
        required: true,
      },
      {
        name: 'organization_id',
        label: words?.organizationId.label ?? 'Ad account id',
        instruction:
          words?.organizationId.instruction ?? `Id of the ${environment} ad account that the token belongs to.`,
        secret: false,
        required: true,
      },
    ],
  };
}
